"""Values of the backend suite as arrays of leafc's .npz files, and back; and how an output is compared.

All that depends on the kind of a value stands here. Element types that numpy lacks (bfloat16, 8-bit floats, 4- and
2-bit integers) are those of ml_dtypes; a .npz holds them as records with one field, named after the type: see
"Arrays" in docs/RuntimeABI.md.
"""

import numpy as np
import onnx
import onnx.numpy_helper


class Unsupported(Exception):
    """A value that leafc's interface cannot carry; the text is for the table."""


def read(path, type_proto):
    """The value in a .pb file of a data set."""
    if type_proto.WhichOneof("value") not in ("tensor_type", None):
        raise Unsupported(f"{type_proto.WhichOneof('value').replace('_type', '')} in a file")
    tensor = onnx.TensorProto()
    tensor.ParseFromString(path.read_bytes())
    return onnx.numpy_helper.to_array(tensor)


def normalize(value):
    """Arrays instead of protobufs, which some tests have."""
    if isinstance(value, onnx.TensorProto):
        return onnx.numpy_helper.to_array(value)
    if isinstance(value, (list, tuple)):
        return [normalize(item) for item in value]
    if isinstance(value, (np.ndarray, np.generic, float, int)):
        return np.asarray(value)
    return value


def is_strings(array):
    return array.dtype.kind in "OSU"


def is_ml_dtype(dtype):
    return dtype.type.__module__ == "ml_dtypes"


def to_file(array):
    """What numpy can write and leafc can read."""
    if is_strings(array):
        return array.astype(str)
    if is_ml_dtype(array.dtype):
        return array.view([(array.dtype.name, f"V{array.dtype.itemsize}")])
    return array


def from_file(array):
    return array.view(np.dtype(array.dtype.names[0])) if array.dtype.names else array


def pack(name, value, arrays):
    """Adds to `arrays` what carries `value` for the input called `name`."""
    if value is None:
        return
    if isinstance(value, list):
        for number, item in enumerate(value):
            pack(f"{name}[{number}]", item, arrays)
        return
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "biufVOSU":
        raise Unsupported(kind_of(value))
    arrays[name] = to_file(value)


def unpack(name, arrays):
    """The value of the output called `name`; None where there is none."""
    if name in arrays or f"{name}[0]" not in arrays:
        return from_file(arrays[name]) if name in arrays else None
    numbers = range(sum(key.startswith(f"{name}[") for key in arrays))
    return [from_file(arrays[f"{name}[{number}]"]) for number in numbers]


def kind_of(value):
    """For the table: what the value is."""
    if value is None:
        return "an absent optional"
    if isinstance(value, (list, tuple)):
        return "a sequence"
    if isinstance(value, dict):
        return "a map"
    if isinstance(value, np.ndarray) and value.dtype.kind in "OSU":
        return "strings"
    return f"a {getattr(value, 'dtype', type(value).__name__)}"


def count_elements(value):
    """Of a tensor; a large number for anything else."""
    if isinstance(value, list):
        return sum(map(count_elements, value))
    return value.size if isinstance(value, np.ndarray) else 1 << 60


def largest_size(value):
    """The largest dimension of a tensor, or of the tensors of a sequence: a bound for what data decide."""
    if isinstance(value, list):
        return max(map(largest_size, value), default=1)
    return max(value.shape, default=1) if isinstance(value, np.ndarray) else 1


def element_type(value):
    """The name of the tensor's element type for the table; nothing for other values."""
    return value.dtype.name if isinstance(value, np.ndarray) and value.dtype.kind != "O" else None


def compare(name, actual, expected, rtol, atol):
    """Why the output differs, or None: the rules of onnx.backend.test.runner."""
    if expected is None:
        return None if actual is None else f"output '{name}' should be absent"
    if actual is None:
        return f"output '{name}' is missing"
    if isinstance(expected, list):
        if not isinstance(actual, list) or len(actual) != len(expected):
            return f"output '{name}' is no sequence of {len(expected)}"
        problems = (compare(f"{name}[{i}]", *pair, rtol, atol) for i, pair in enumerate(zip(actual, expected)))
        return next(filter(None, problems), None)
    if is_strings(expected):
        same = actual.shape == expected.shape and (actual == expected.astype(str)).all()
        return None if same else f"output '{name}' differs"
    if actual.dtype != expected.dtype:
        return f"output '{name}' is {actual.dtype}, not {expected.dtype}"
    if actual.shape != expected.shape:
        return f"output '{name}' has shape {actual.shape}, not {expected.shape}"
    if not (expected.dtype.kind in "fc" or is_ml_dtype(expected.dtype)):
        return None if np.array_equal(actual, expected) else f"output '{name}' differs"
    if expected.dtype.name == "bfloat16":
        rtol = max(rtol, 2**-6)
    a, e = actual.astype(np.float64), expected.astype(np.float64)
    if np.allclose(a, e, rtol=rtol, atol=atol, equal_nan=True):
        return None
    return f"output '{name}' differs by {np.nanmax(np.abs(a - e)):.3g}"

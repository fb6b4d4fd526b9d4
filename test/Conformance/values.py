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
    if isinstance(value, (np.ndarray, np.generic, float, int)):
        return np.asarray(value)
    return value


def is_ml_dtype(dtype):
    return dtype.type.__module__ == "ml_dtypes"


def to_file(array):
    """What numpy can write and leafc can read."""
    if is_ml_dtype(array.dtype):
        return array.view([(array.dtype.name, f"V{array.dtype.itemsize}")])
    return array


def from_file(array):
    return array.view(np.dtype(array.dtype.names[0])) if array.dtype.names else array


def pack(name, value, arrays):
    """Adds to `arrays` what carries `value` for the input called `name`."""
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "biufV":
        raise Unsupported(kind_of(value))
    arrays[name] = to_file(value)


def unpack(name, arrays):
    """The value of the output called `name`; None where there is none."""
    return from_file(arrays[name]) if name in arrays else None


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
    return value.size if isinstance(value, np.ndarray) else 1 << 60


def element_type(value):
    """The name of the tensor's element type for the table; nothing for other values."""
    return value.dtype.name if isinstance(value, np.ndarray) and value.dtype.kind != "O" else None


def compare(name, actual, expected, rtol, atol):
    """Why the output differs, or None: the rules of onnx.backend.test.runner."""
    if actual is None:
        return f"output '{name}' is missing"
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

#!/usr/bin/env python3
"""Trains the small models of scikit-learn in data/scikit and writes them by skl2onnx.

    python3 -m venv venv && venv/bin/pip install scikit-learn skl2onnx
    venv/bin/python test/Models/train_scikit.py

Each is a pipeline as users export it, its file a few kilobytes; domains.py compares them with ONNX Runtime. Outputs of
classifiers are tensors (zipmap off), except where the name says otherwise.
"""
from pathlib import Path

import numpy as np
from skl2onnx import to_onnx
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.decomposition import PCA
from sklearn.ensemble import AdaBoostClassifier, GradientBoostingClassifier, RandomForestRegressor
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (ElasticNet, LinearRegression, LogisticRegression, Perceptron, Ridge, RidgeClassifier,
                                  SGDClassifier)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (Binarizer, KBinsDiscretizer, MaxAbsScaler, MinMaxScaler, Normalizer, OneHotEncoder,
                                   PolynomialFeatures, QuantileTransformer, RobustScaler, StandardScaler)
from sklearn.svm import NuSVC, SVC, SVR, LinearSVR, OneClassSVM
from sklearn.tree import DecisionTreeClassifier

FOLDER = Path(__file__).resolve().parent / "data" / "scikit"
IRIS, WINE, CANCER, SUGAR = load_iris(), load_wine(), load_breast_cancer(), load_diabetes()
SEED = {"random_state": 0}

# Name, data, model.
MODELS = [
    ("logistic_two", CANCER, make_pipeline(StandardScaler(), LogisticRegression())),
    ("logistic_three", WINE, make_pipeline(StandardScaler(), LogisticRegression())),
    ("logistic_zipmap", IRIS, LogisticRegression(max_iter=1000)),
    ("logistic_rest", WINE, make_pipeline(MinMaxScaler(), OneVsRestClassifier(LogisticRegression()))),
    ("sgd", WINE, make_pipeline(RobustScaler(), SGDClassifier(**SEED))),
    ("perceptron", IRIS, make_pipeline(MaxAbsScaler(), Perceptron(**SEED))),
    ("ridge_classifier", WINE, make_pipeline(StandardScaler(), RidgeClassifier())),
    ("svc_rbf", IRIS, SVC()),
    ("svc_linear_two", CANCER, make_pipeline(StandardScaler(), SVC(kernel="linear", C=0.1))),
    ("svc_poly", IRIS, make_pipeline(StandardScaler(), SVC(kernel="poly", degree=3))),
    ("svc_probabilities", IRIS, make_pipeline(StandardScaler(), SVC(probability=True, **SEED))),
    ("nu_svc_sigmoid", IRIS, make_pipeline(StandardScaler(), NuSVC(kernel="sigmoid", gamma=0.1))),
    ("svr", SUGAR, make_pipeline(StandardScaler(), SVR(C=10, epsilon=60))),
    ("linear_svr", SUGAR, make_pipeline(StandardScaler(), LinearSVR(**SEED))),
    ("one_class_svm", IRIS, OneClassSVM(nu=0.2, gamma=0.1)),
    ("linear_regression", SUGAR, LinearRegression()),
    ("elastic_net", SUGAR, make_pipeline(PolynomialFeatures(2), ElasticNet(alpha=0.1))),
    ("ridge_bins", SUGAR, make_pipeline(KBinsDiscretizer(4, encode="ordinal"), Ridge())),
    ("tree", IRIS, DecisionTreeClassifier(max_depth=4, **SEED)),
    ("boosted_trees", IRIS, GradientBoostingClassifier(n_estimators=6, max_depth=2, **SEED)),
    ("ada_boost", IRIS, AdaBoostClassifier(DecisionTreeClassifier(max_depth=1), n_estimators=5, **SEED)),
    ("forest_regressor", SUGAR, RandomForestRegressor(n_estimators=4, max_depth=4, **SEED)),
    ("gaussian_bayes", WINE, GaussianNB()),
    ("bernoulli_bayes", WINE, make_pipeline(StandardScaler(), Binarizer(), BernoulliNB())),
    ("nearest", IRIS, KNeighborsClassifier(3)),
    ("perceptrons", WINE, make_pipeline(StandardScaler(), PCA(5), MLPClassifier((8,), max_iter=500, **SEED))),
    ("selected", WINE, make_pipeline(SimpleImputer(), SelectKBest(k=4), Normalizer("l1"), LogisticRegression())),
    ("quantiles", IRIS, make_pipeline(QuantileTransformer(n_quantiles=20), LogisticRegression())),
    ("one_hot", IRIS, make_pipeline(KBinsDiscretizer(3, encode="ordinal"), OneHotEncoder(handle_unknown="ignore"),
                                    LogisticRegression())),
]


def main():
    """Writes all of them, and samples of each data set, which the number of features tells apart."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    samples = {str(data.data.shape[1]): data.data[::len(data.data) // 16].astype(np.float32)
               for data in (IRIS, WINE, CANCER, SUGAR)}
    np.savez(FOLDER / "samples.npz", **samples)
    for name, data, model in MODELS:
        inputs = data.data.astype(np.float32)
        model.fit(inputs, data.target)
        has_maps = hasattr(model, "predict_proba") and not name.endswith("zipmap")
        options = {id(model): {"zipmap": False}} if has_maps else None
        proto = to_onnx(model, inputs[:1], options=options, target_opset={"": 17, "ai.onnx.ml": 3})
        path = FOLDER / f"{name}.onnx"
        path.write_bytes(proto.SerializeToString())
        print(f"{name}: {path.stat().st_size} bytes, {sorted({node.op_type for node in proto.graph.node})}")


if __name__ == "__main__":
    main()

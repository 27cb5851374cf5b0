"""scikit-learn's MLPClassifier, with partial_fit on each batch. sklearn_worker.py THREADS

f32 data makes it compute in f32. Where there are two classes it has one logistic output
instead of softmax over two: its own form of those rungs, and slightly less work. Dropout
it has not. Inference is predict_proba, which adds the softmax.
"""
import sys
import warnings

import numpy as np
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from common import Cannot, batch_of, serve

warnings.filterwarnings("ignore", category=ConvergenceWarning)


def make_model(rung):
    adam = rung.optimizer == "adam"
    return MLPClassifier(rung.sizes[1:-1], solver="adam" if adam else "sgd", alpha=0,
                         batch_size=rung.batch, random_state=1, shuffle=False,
                         learning_rate_init=1e-5 if adam else 1e-3,
                         momentum=0.9 if rung.optimizer == "momentum" else 0,
                         nesterovs_momentum=False)


def make(rung, variant):
    if rung.dropout:
        raise Cannot("it has no dropout")
    random = np.random.default_rng(1)
    x = random.standard_normal((rung.n, rung.sizes[0]), np.float32)
    y = random.integers(0, rung.sizes[-1], rung.n)
    classes = np.arange(rung.sizes[-1])
    model = make_model(rung)
    model.partial_fit(x[:rung.batch], y[:rung.batch], classes=classes)
    if model.coefs_[0].dtype != np.float32:
        raise Cannot("it computes in " + str(model.coefs_[0].dtype))
    if rung.job == "predict":
        return batch_of(model.predict_proba, rung.batch, x)
    return batch_of(model.partial_fit, rung.batch, x, y)


threadpool_limits(int(sys.argv[1]))
serve(sklearn.__version__, make)

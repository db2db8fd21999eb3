"""What the page ``precision_recall`` shows: two sets of points that are made to disagree, and what the metrics say."""

from dgm_core.precision_recall.clouds import CloudPair
from dgm_core.precision_recall.comparison import SetComparison
from dgm_core.precision_recall.curves import MetricCurves
from dgm_core.precision_recall.embedding import ImageClassifier
from dgm_core.precision_recall.trade_off import TradeOff
from dgm_core.precision_recall.views import PairChecks, PairFigures

__all__ = ["CloudPair", "ImageClassifier", "MetricCurves", "PairChecks", "PairFigures", "SetComparison", "TradeOff"]

"""Task detection: a linear model over the words of a request, what surrounds it, and the user's word."""

from aircher.policy.detect.decide import Detector, Known
from aircher.policy.detect.features import lexicon
from aircher.policy.detect.model import parse
from aircher.policy.detect.rules import Patterns, compile_patterns

__all__ = ["Detector", "Known", "Patterns", "compile_patterns", "lexicon", "parse"]

"""The rule network: which rules of a family fire for a line, and why, or why not."""

from orderloom.engine.network.interface import Finding, NetworkRule, RuleNetwork, Verdict
from orderloom.engine.network.native import NativeNetwork

__all__ = ["Finding", "NativeNetwork", "NetworkRule", "RuleNetwork", "Verdict"]

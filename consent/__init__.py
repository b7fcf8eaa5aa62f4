"""Ask first, keep to the answer, and be able to prove it: cookie consent for Python web applications."""

from consent.choice import Choice, Permissions, Signals, decide
from consent.errors import ConfigError, ConsentError, NotRecorded, Problem, UnknownKeyError
from consent.policy import Category, Policy, Service, StorageItem

__all__ = [
    "Category",
    "Choice",
    "ConfigError",
    "ConsentError",
    "NotRecorded",
    "Permissions",
    "Policy",
    "Problem",
    "Service",
    "Signals",
    "StorageItem",
    "UnknownKeyError",
    "decide",
]

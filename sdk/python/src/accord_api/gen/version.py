"""The version of the contract.

Generated from the contract (sdk/python/generate.sh).
"""

VERSION = "0.1.0"

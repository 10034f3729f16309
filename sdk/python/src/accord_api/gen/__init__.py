"""What the contract says.

Generated from the contract (sdk/python/generate.sh).
"""

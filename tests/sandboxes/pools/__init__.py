"""Pools: stock, assignment, repositories."""

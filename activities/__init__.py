"""Temporal activities: thin; each fetches inputs, calls one room, publishes the result and classifies errors.

This module stays empty of imports because workflows import ``activities.declarations`` inside Temporal's sandbox, where
nothing that loads a driver or a codec may be imported. Workers take their implementations from ``activities.registry``.
"""

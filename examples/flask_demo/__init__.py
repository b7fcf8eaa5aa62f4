"""Roadstead: a small news site that asks first, and stand-ins for the third parties it would otherwise feed."""

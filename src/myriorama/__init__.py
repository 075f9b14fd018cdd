"""Myriorama: the open backend for generated-video social apps."""

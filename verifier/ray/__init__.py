"""The service as a Ray Serve application (docs/ray.md). Needs the extra `ray`."""

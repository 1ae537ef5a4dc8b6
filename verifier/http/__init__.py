"""The HTTP front: the service for those who cannot speak gRPC (docs/http.md)."""

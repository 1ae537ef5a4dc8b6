"""Judge models: asked where rules cannot tell."""

"""Settings, routing, supervision: what ties the apps together."""

VERSION = "0.1.0"

"""One module a feature; each adds its pages with `install(site)`."""

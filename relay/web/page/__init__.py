"""The status page: one page that shows the hub, its data, and the changes of the data as they happen.

It is the hub's own business and no interface for programs: those use `/v1/…`. Nothing is loaded from elsewhere, and nothing
needs a build: plain ES modules, with uPlot and cytoscape copied as files (`static/vendor/`, with their licences).
"""

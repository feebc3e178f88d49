"""The public interface under `/v1/`: one module a resource. `relay.web.api.routes.include` puts them into the application."""

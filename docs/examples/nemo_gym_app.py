"""NeMo-Gym: resources_servers/touchstone/app.py, with this in its configuration:

touchstone:
  resources_servers:
    touchstone:
      entrypoint: app.py
      address: 127.0.0.1:50051
      options: {on_failure: mask}
"""

from verifier.adapters.nemo_gym import TouchstoneResourcesServer

if __name__ == "__main__":
    TouchstoneResourcesServer.run_webserver()

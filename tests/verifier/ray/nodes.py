"""A Ray cluster of several nodes on this machine, for as long as standard input is open.

    build/peers/ray/bin/python -m tests.verifier.ray.nodes COUNT CPUS

prints one line of JSON: the cluster's address and the process of each node, the head first.
"""

from __future__ import annotations

import json
import sys

from ray.cluster_utils import Cluster

MIB = 1 << 20
STORE = {"object_store_memory": 100 * MIB}


def main(count: int, cpus: int) -> None:
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": cpus, "include_dashboard": False, **STORE}
    )
    for _ in range(count - 1):
        cluster.add_node(wait=False, num_cpus=cpus, **STORE)
    cluster.wait_for_nodes()
    nodes = [cluster.head_node, *sorted(cluster.worker_nodes, key=id)]
    pids = [node.all_processes["raylet"][0].process.pid for node in nodes]
    print(json.dumps({"address": cluster.address, "nodes": pids}), flush=True)
    sys.stdin.read()
    cluster.shutdown()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))

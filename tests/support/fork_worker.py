"""A process that forks while its client is in use: `fork_worker.py URL`; both halves load and say what they got."""

import os
import sys

import cenports_nb as cn


def main() -> None:
    client = cn.connect("staging", base_url=sys.argv[1], partner_id="P", client_id="i", client_secret="s")
    cn.load_channels(client)
    child = os.fork()
    for _ in range(20):
        found = cn.load_channels(client, refresh=True)["channel_id"].tolist()
    print("child" if child == 0 else "parent", found, flush=True)
    client.close()
    if child:
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


if __name__ == "__main__":
    main()

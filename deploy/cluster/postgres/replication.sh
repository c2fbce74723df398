#!/bin/sh
# Runs once on the primary when its cluster is made: the image lets nobody replicate from another container.
set -eu
echo 'host replication tandem all scram-sha-256' >>"$PGDATA/pg_hba.conf"

#!/bin/sh
# Starts a standby of Postgres: at the first start it copies the primary, then it follows it. The copy asks the primary for
# a replication slot of its own, so that nothing it still needs is thrown away while it is down.
set -eu

: "${PGDATA:?}" "${TANDEM_PRIMARY_HOST:?}"
PGPASSWORD="$(cat /run/secrets/postgres_password)"
export PGPASSWORD

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    # A copy that was cut off is begun again; the slot of the first try is used.
    rm -rf "$PGDATA"
    mkdir -p -m 0700 "$PGDATA"
    psql "host=$TANDEM_PRIMARY_HOST user=tandem dbname=tandem" -v ON_ERROR_STOP=1 -c \
        "SELECT pg_create_physical_replication_slot('tandem_standby', true)
         WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = 'tandem_standby')"
    pg_basebackup --host="$TANDEM_PRIMARY_HOST" --username=tandem --pgdata="$PGDATA" --slot=tandem_standby \
        --wal-method=stream --write-recovery-conf --checkpoint=fast
fi

# sync_replication_slots keeps the relay's place on the standby too; it needs a database to connect to, and feedback.
exec postgres -cconfig_file=/etc/postgresql/tandem.conf "-clisten_addresses=*" \
    -chot_standby_feedback=on -csync_replication_slots=on -cprimary_slot_name=tandem_standby \
    "-cprimary_conninfo=host=$TANDEM_PRIMARY_HOST user=tandem dbname=tandem password=$PGPASSWORD application_name=tandem_standby"

#!/bin/sh
# Runs once, when the container sets up a new cluster: the role by which crm works. It owns the database, so that crm's
# migrations can make what they need (the extensions among it are trusted ones), and may read the outbox by replication. It is
# no superuser: it can neither read files of the server nor switch off what keeps the audit insert-only.
#
# A volume that is older than this file has no such role. There, as the superuser tandem:
#   CREATE ROLE crm LOGIN REPLICATION PASSWORD '…'; ALTER DATABASE tandem OWNER TO crm;
# and an ALTER … OWNER TO crm for every table, function and publication of the schema public.
set -eu
psql --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" <<'SQL'
\set password `cat /run/secrets/crm_postgres_password`
CREATE ROLE crm LOGIN REPLICATION PASSWORD :'password';
ALTER DATABASE :"DBNAME" OWNER TO crm;
SQL

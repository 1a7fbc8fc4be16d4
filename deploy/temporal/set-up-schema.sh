#!/bin/sh
# Have Temporal's two databases with their current schema. Running it again changes nothing.
# Needs temporal-sql-tool (temporalio/admin-tools), POSTGRES_SEEDS, DB_PORT, POSTGRES_USER, and SQL_PASSWORD for it.
set -eu

set_up() {
    tool="temporal-sql-tool --plugin postgres12 --ep $POSTGRES_SEEDS -p $DB_PORT -u $POSTGRES_USER --db $1"
    $tool create
    $tool setup-schema -v 0.0
    $tool update-schema -d "/etc/temporal/schema/postgresql/v12/$2/versioned"
}

set_up temporal temporal
set_up temporal_visibility visibility

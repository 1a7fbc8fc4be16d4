#!/bin/sh
# Have our namespace and search attributes on a Temporal server, as `cinema setup temporal` does, for where there is no
# Python. Running it again changes nothing. A test compares it with workflows/contract.py.
# Needs the temporal command, TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and TEMPORAL_RETENTION_DAYS.
set -eu

retention="${TEMPORAL_RETENTION_DAYS}d"
if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
    temporal operator namespace update --namespace "$TEMPORAL_NAMESPACE" --retention "$retention"
else
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$retention"
fi

# The server's own processes learn of a new namespace within seconds.
tries=60
until temporal operator search-attribute list --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || { echo "namespace $TEMPORAL_NAMESPACE is not there after a minute" >&2; exit 1; }
    sleep 1
done

add() {
    temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" --name "$1" --type "$2"
}

add CinemaOwner Keyword
add CinemaProject Keyword
add CinemaJobStatus Keyword
add CinemaVariants KeywordList

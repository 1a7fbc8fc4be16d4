#!/usr/bin/env bash
# A creator's whole journey with curl and jq alone: footage in, a verified video out.
#
#   docs/creators-journey.sh talk.mp4 [folder for the video]
#
# API is the address of a running stack (`cinema up` says it). TOKEN is an access token of your sign-in service; without
# one this machine's own sign-in is used. VARIANT is what to make. With KEEP=1 the project is not deleted in the end.
set -euo pipefail

FILE=${1:?which file}
FOLDER=${2:-.}
API=${API:-http://127.0.0.1:8700}
VARIANT=${VARIANT:-hook_cut}

say() { echo "==> $*" >&2; }
api() { # api METHOD PATH [curl options]: the answer's body, or its problem document and an end
  curl --silent --show-error --fail-with-body --retry 5 --retry-connrefused --max-time 120 \
    -X "$1" "$API$2" -H "Authorization: Bearer $TOKEN" "${@:3}"
}
json() { api "$1" "$2" -H 'Content-Type: application/json' -d "$3" "${@:4}"; }
header() { tr -d '\r' | sed -n "s/^$1: //Ip"; }
encoded() { printf %s "$1" | base64 | tr -d '\n'; }

say "Signing in"
if [ -z "${TOKEN:-}" ]; then
  TOKEN=$(curl --silent --show-error --fail-with-body -X POST "$API/auth/local" | jq -r .access_token)
fi

say "Making a project"
PROJECT=$(json POST /projects "$(jq -n --arg name "$(basename "$FILE")" '{name: $name}')" | jq -r .id)

say "Uploading $FILE"
SIZE=$(wc -c < "$FILE" | tr -d ' ')
LOCATION=$(api POST /uploads -o /dev/null -D - -H 'Tus-Resumable: 1.0.0' -H "Upload-Length: $SIZE" \
  -H "Upload-Metadata: project $(encoded "$PROJECT"),filename $(encoded "$(basename "$FILE")")" | header Location)
for _ in 1 2 3 4 5; do # each time from where the one before broke off
  OFFSET=$(curl --silent --show-error --fail --head "$API$LOCATION" -H "Authorization: Bearer $TOKEN" \
    -H 'Tus-Resumable: 1.0.0' | header Upload-Offset)
  [ "$OFFSET" -lt "$SIZE" ] || break
  tail -c "+$((OFFSET + 1))" "$FILE" | api PATCH "$LOCATION" -H 'Tus-Resumable: 1.0.0' -H "Upload-Offset: $OFFSET" \
    -H 'Content-Type: application/offset+octet-stream' --data-binary @- || true
done

ASSET=${LOCATION##*/}
until STATE=$(api GET "/assets/$ASSET" | jq -r .state) && [ "$STATE" != uploading ]; do sleep 1; done
[ "$STATE" = ready ] || { api GET "/assets/$ASSET" | jq .error >&2; exit 1; }

json PATCH "/assets/$ASSET" '{"tags": ["interview"], "description": "Somebody talks to the camera."}' > /dev/null

say "Ordering a $VARIANT"
ORDER=$(jq -n --arg variant "$VARIANT" '{outputs: [{variant: $variant, count: 1, pace: "natural", style: "cinematic"}]}')
JOB=$(json POST "/projects/$PROJECT/jobs" "$ORDER" \
  -H "Idempotency-Key: journey-$PROJECT" | jq -r .id)

say "Watching job $JOB"
STATUS=queued LAST=
while :; do # a stream may end at any time; what changed meanwhile is sent first
  while IFS= read -r LINE; do
    case $LINE in
      id:*) LAST=${LINE#id: } ;;
      data:*)
        STATUS=$(jq -r .status <<< "${LINE#data: }")
        jq -r '"    \(.status)  \(.outputs[0].stage)  \(.outputs[0].progress * 100 | floor) %"' <<< "${LINE#data: }" >&2
        ;;
    esac
    case $STATUS in completed | partial | failed | cancelled) break 2 ;; esac
  done < <(curl --silent --no-buffer --max-time 1800 "$API/jobs/$JOB/events" -H "Authorization: Bearer $TOKEN" \
    ${LAST:+-H "Last-Event-ID: $LAST"})
  sleep 1
done
[ "$STATUS" = completed ] || { api GET "/jobs/$JOB" | jq '.error, .outputs[].error' >&2; exit 1; }

say "Downloading"
OUTPUT=$(api GET "/jobs/$JOB" | jq -r '.outputs[0].id')
FILES=$(api GET "/outputs/$OUTPUT/files")
NAME=$(jq -r .video.name <<< "$FILES")
curl --silent --show-error --fail --retry 5 --continue-at - -o "$FOLDER/$NAME" "$(jq -r .video.url <<< "$FILES")"
echo "$(jq -r .video.sha256 <<< "$FILES")  $FOLDER/$NAME" | sha256sum --check --quiet

say "Reading why it is as it is, and taking it elsewhere"
api GET "/outputs/$OUTPUT/explanation" | jq -r '.lines[]' | sed 's/^/    /' >&2
for FORMAT in otio fcpxml premiere cmx3600 srt vtt; do
  api GET "/outputs/$OUTPUT/exports/$FORMAT" -o "$FOLDER/${NAME%.mp4}.$FORMAT"
done
api GET "/outputs/$OUTPUT/storyboard" -o "$FOLDER/${NAME%.mp4}.storyboard.vtt"

if [ -z "${KEEP:-}" ]; then
  say "Deleting the job"
  api DELETE "/jobs/$JOB" > /dev/null
  until [ "$(curl --silent -o /dev/null -w '%{http_code}' "$API/jobs/$JOB" \
    -H "Authorization: Bearer $TOKEN")" = 404 ]; do sleep 1; done

  say "Deleting the project"
  api DELETE "/projects/$PROJECT" > /dev/null
  until [ "$(curl --silent -o /dev/null -w '%{http_code}' "$API/projects/$PROJECT" \
    -H "Authorization: Bearer $TOKEN")" = 404 ]; do sleep 1; done
fi
echo "$FOLDER/$NAME"

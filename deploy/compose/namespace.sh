# Make the namespace where it is missing. The server answers a moment after its port is open.
attempts=0
until temporal operator namespace describe -n "$NAMESPACE" ||
  temporal operator namespace create -n "$NAMESPACE" --retention "$RETENTION"; do
  attempts=$((attempts + 1))
  [ "$attempts" -lt 30 ] || exit 1
  sleep 2
done

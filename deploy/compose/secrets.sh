#!/bin/sh
# Make the files that compose.yaml reads, those that are missing: passwords and keys, and .env; names what is yours to fill in.
set -eu
cd "$(dirname "$0")"
mkdir -p secrets
umask 077
random() { head -c "$1" /dev/urandom | base64 | tr -d '\n'; }
made() { [ ! -e "secrets/$1" ] && echo "secrets/$1"; }
if made postgres_password; then random 24 | tr '+/' '-_' > secrets/postgres_password; fi
if made ledger_password; then random 24 | tr '+/' '-_' > secrets/ledger_password; fi
if made errand_ledger_url; then
  printf 'postgresql+psycopg://errand:%s@postgresql/errand' "$(cat secrets/ledger_password)" > secrets/errand_ledger_url
fi
if made payload_keys; then echo "$(date +%Y-%m) $(random 32)" > secrets/payload_keys; fi
if made codec_token; then random 24 > secrets/codec_token; fi
if made codec_access.toml; then
  digest="$(tr -d '\n' < secrets/codec_token | sha256sum | cut -d ' ' -f 1)"
  printf '[token.operator]\nsha256 = "%s"\nkeys = ["*"]\n' "$digest" > secrets/codec_access.toml
fi
if made door_key; then
  rm -f secrets/web_keys.json  # of a key that is lost
  printf 'errand_%s' "$(random 32 | tr '+/' '-_' | tr -d '=')" > secrets/door_key
fi
if made web_keys.json; then
  printf '{"keys": [{"name": "operator", "hash": "%s", "may": ["admin"], "added_at": "%s"}]}\n' \
    "$(sha256sum < secrets/door_key | cut -d ' ' -f 1)" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" > secrets/web_keys.json
fi
for yours in openai_api_key errand_smtp_url; do
  if made "$yours"; then : > "secrets/$yours" && echo "  … is empty: fill it in"; fi
done
[ -e .env ] || { cp .env.example .env && printf '%s\n' ".env" "  … fill in the model and the sender"; }
# The containers' users read them, who are others than yours; nobody else gets into the folder.
chmod 700 secrets && chmod 644 secrets/* && chmod a+r ./*.sh ./*.yaml

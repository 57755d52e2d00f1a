#!/usr/bin/env bash
# The scene that ./dev run plays: an agent gets an identity and a session, and calls tools. Every step is the plain command
# line, so that it can be typed again by hand.
#
#   scene.sh DOORWARD CONFIG WORKDIR
set -euo pipefail
doorward=$1 config=$2 work=$3
url=${DOORWARD_URL:-http://127.0.0.1:8420}
agent=support-$(date +%s)
key=$work/$agent.jwk

bold='' red='' green='' yellow='' dim='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$'\033[1m' red=$'\033[31m' green=$'\033[32m' yellow=$'\033[33m' dim=$'\033[2m' plain=$'\033[0m'
fi

title() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }

# call TITLE TOKEN TOOL ARGUMENTS: what was asked for, what the door decided, and why.
call() {
    local what=$1 token=$2 tool=$3 arguments=$4 out decided status=0
    out=$("$doorward" call --url "$url" --token "$token" "$tool" "$arguments" 2>&1) || status=$?
    case "$status" in
    0) decided="${green}let through$plain" ;;
    3) decided="${red}refused    $plain" ;;
    *) decided="${yellow}failed ($status) $plain" ;;
    esac
    out=$(head -n 1 <<<"$out" | sed 's/^doorward: call: refused (\([a-z_]*\)): /\1: /')
    printf '  %s  %-28s  %s %s\n' "$decided" "$what" "$tool" "$arguments"
    printf '               %s%s%s\n' "$dim" "${out:0:160}" "$plain"
}

title "An agent of its own: its private key is made here and never leaves this side"
"$doorward" agent create -c "$config" --id "$agent" --type customer-support --version 2.4.1 --owner support-team \
    --env production --expires 24h --max-sessions 5 \
    --allow desk/lookup_order --allow desk/check_shipping --allow desk/search_faq --allow desk/create_ticket \
    --deny 'desk/delete_*' --generate --key-file "$key" 2>&1 | sed 's/^/  /'

title "The agent opens a session with its key: 15 minutes, 50 calls"
token=$("$doorward" token --url "$url" --agent "$agent" --key "$key")
printf '  an access token of %d bytes\n' "${#token}"

title "Calls"
call "an order" "$token" desk/lookup_order '{"orderId":"ORD-A1B2C3D4"}'
call "a ticket" "$token" desk/create_ticket '{"subject":"Where is my parcel?","priority":"high"}'
call "not on the whitelist" "$token" desk/issue_refund '{"orderId":"ORD-A1B2C3D4","amount":129.9}'
call "on the list of denied tools" "$token" desk/delete_account '{"customerId":"c-1"}'
call "arguments off the schema" "$token" desk/lookup_order '{"orderId":"1 OR 1=1"}'

title "A session that the platform opens for a user: 2 calls, then no more"
narrow=$("$doorward" session open -c "$config" --agent "$agent" --user alice --tier standard --trigger user --max-calls 2 --token-only)
call "first of two" "$narrow" desk/search_faq '{"query":"return policy"}'
call "second of two" "$narrow" desk/check_shipping '{"orderId":"ORD-E5F6G7H8"}'
call "over the call limit" "$narrow" desk/search_faq '{"query":"refund"}'

title "Sessions end"
brief=$("$doorward" session open -c "$config" --agent "$agent" --lifetime 1s --token-only)
sleep 1.2
call "expired" "$brief" desk/search_faq '{"query":"shipping"}'
ended=$("$doorward" session open -c "$config" --agent "$agent" --json)
sid=$(sed -n 's/.*"sessionId": *"\([^"]*\)".*/\1/p' <<<"$ended" | head -n 1)
gone=$(sed -n 's/.*"access_token": *"\([^"]*\)".*/\1/p' <<<"$ended" | head -n 1)
"$doorward" session end -c "$config" "$sid" --reason "the example ends it" >/dev/null
call "ended by an operator" "$gone" desk/search_faq '{"query":"shipping"}'

title "All of it is on record"
"$doorward" audit tail -c "$config" -n 12 | sed 's/^/  /'
printf '\n'
"$doorward" audit verify -c "$config" | sed 's/^/  /'

printf '%s\n' "$agent" >"$work/agent"
printf '%s\n' "$key" >"$work/key"

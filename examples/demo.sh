#!/bin/sh
# Gates what stands in this folder with the bundled policies. A denial and a hold are what should happen here.
interlock=$1
cd "$(dirname "$0")/.." || exit 1

expect() {
    code=$1
    shift
    echo "\$ interlock $*" | sed 's/ --/ \\\n    --/g'
    "$interlock" "$@"
    got=$?
    echo "exit code $got"
    echo
    if [ "$got" -ne "$code" ]; then
        echo "expected exit code $code" >&2
        exit 1
    fi
}

echo "A migration that lost its filter:"
expect 1 gate examples/0042_expire_sessions.sql --policy production_guardrails --author 'Agent::"release-bot"'
echo "The same, mended:"
expect 0 gate examples/0042_expire_sessions_mended.sql --policy production_guardrails --author 'Agent::"release-bot"'
echo "A Terraform plan that takes deletion protection off a database, proposed by a person:"
expect 4 gate examples/orders.tfplan.json --policy production_guardrails --author 'Human::"dana"'

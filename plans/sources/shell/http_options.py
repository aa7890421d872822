"""The options of curl, HTTPie and wget that take a value, and those that carry a body."""

from ..words import words

CURL_VALUED = words(
    "-A -b -c -C -d -D -e -E -F -h -H -K -m -o -P -Q -r -T -t -u -U -w -x -X -y -Y -z "
    "--cacert --capath --cert --cert-type --ciphers --config --connect-timeout --connect-to "
    "--continue-at --cookie --cookie-jar --create-file-mode --crlfile --data --data-ascii "
    "--data-binary --data-raw --data-urlencode --dns-servers --doh-url --dump-header "
    "--expect100-timeout --form --form-string --ftp-method --header --interface --json "
    "--keepalive-time --key --key-type --limit-rate --local-port --mail-from --mail-rcpt "
    "--max-filesize --max-redirs --max-time --netrc-file --noproxy --oauth2-bearer --output "
    "--output-dir --pass --pinnedpubkey --port --proto --proto-default --proxy --proxy-header "
    "--proxy-user --quote --rate --range --referer --request --request-target --resolve --retry "
    "--retry-delay --retry-max-time --socks5 --socks5-hostname --speed-limit --speed-time "
    "--stderr --time-cond --tls-max --trace --trace-ascii --unix-socket --upload-file --url "
    "--url-query --user --user-agent --variable --write-out --aws-sigv4 --libcurl --etag-save "
    "--etag-compare --hsts --alt-svc --delegation --engine --random-file --egd-file"
)
CURL_DATA = (
    "-d",
    "--data",
    "--data-ascii",
    "--data-binary",
    "--data-raw",
    "--json",
    "--data-urlencode",
)
CURL_FORMS = ("-F", "--form", "--form-string")
HTTPIE_VALUED = words(
    "-a --auth -A --auth-type -p --print -s --style --timeout -o --output --session "
    "--session-read-only --verify --cert --cert-key --proxy --max-redirects --raw --check-status "
    "--pretty --format-options --boundary"
)
WGET_VALUED = words(
    "-a -A -B -D -e -i -I -l -o -O -P -Q -R -t -T -U -w -X --method --body-data --body-file "
    "--post-data --post-file --header --output-document --output-file --append-output "
    "--directory-prefix --user --password --user-agent --timeout --tries --wait --input-file "
    "--level --accept --reject --domains --referer --load-cookies --save-cookies --execute "
    "--config --limit-rate --quota --no-proxy --ca-certificate --certificate --private-key"
)

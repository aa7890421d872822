; What can be folded.

[(enum) (entity) (action) (rule) (prove) (test) (define) (record) (record_type) (set)] @fold

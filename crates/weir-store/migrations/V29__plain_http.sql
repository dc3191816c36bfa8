-- Computers whose last call came without TLS are counted on every page of the console. There are few of them where TLS is used, and
-- a computer that comes with TLS writes nothing here.
CREATE INDEX computer_by_plain_http ON computer (plain_http, site_no) WHERE plain_http = 1;

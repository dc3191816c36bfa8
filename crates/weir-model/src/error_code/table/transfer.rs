//! Transfer of files: HTTP statuses (facility 0x019), BITS (0x020), Delivery Optimization (0x0D0).

use super::{
    ErrorCode,
    advice::{AGENT_LOG, FREE_SPACE, NETWORK, NONE, PROXY, REDETECT, RETRY, SERVER_LOG, TIME_AND_ROOTS},
    codes,
};

const CONTENT: &str = "Check that the file is at the server (weir content status), and what stands between the computer and the content address.";
const RANGES: &str = "Let the content address be served by something that knows range requests (weir does), without a proxy that takes them out.";
const VERIFY: &str = "Verify content at the server (weir content verify), and empty caches in between.";

pub(super) const HTTP: &[ErrorCode] = codes! { Bits;
    0x8019_00CC BG_E_HTTP_ERROR_204 "HTTP 204: the answer has no content.",
        "A proxy or filter answers.", PROXY;
    0x8019_012E BG_E_HTTP_ERROR_302 "HTTP 302: the file is elsewhere for now.",
        "A sign-in page of a network, or a proxy.", PROXY;
    0x8019_0190 BG_E_HTTP_ERROR_400 "HTTP 400: the server does not understand the request.",
        "A proxy changed the request.", PROXY;
    0x8019_0191 BG_E_HTTP_ERROR_401 "HTTP 401: signing in is demanded for the file.",
        "The content address wants credentials.", "Allow anonymous access to content.";
    0x8019_0193 BG_E_HTTP_ERROR_403 "HTTP 403: the file is refused.",
        "A filter, or rights of a web server that serves the content.", CONTENT;
    0x8019_0194 BG_E_HTTP_ERROR_404 "HTTP 404: the file is not there.",
        "Content is missing at the server or at the content address, or the file was collected.", CONTENT;
    0x8019_0195 BG_E_HTTP_ERROR_405 "HTTP 405: the method is not allowed.",
        "Another web server answers.", CONTENT;
    0x8019_0197 BG_E_HTTP_ERROR_407 "HTTP 407: the proxy demands signing in.",
        "The system account cannot sign in at the proxy.", PROXY;
    0x8019_0198 BG_E_HTTP_ERROR_408 "HTTP 408: the server waited too long for the request.",
        "A very slow line.", RETRY;
    0x8019_019A BG_E_HTTP_ERROR_410 "HTTP 410: the file is gone.",
        "It was removed at the content address.", REDETECT;
    0x8019_019D BG_E_HTTP_ERROR_413 "HTTP 413: the request is too large.",
        "A proxy with a small limit.", PROXY;
    0x8019_01A0 BG_E_HTTP_ERROR_416 "HTTP 416: the part of the file that is asked for does not exist.",
        "The file at the content address has another size than the metadata says.", VERIFY;
    0x8019_01F4 BG_E_HTTP_ERROR_500 "HTTP 500: the server failed.",
        "A failure of the server or of a proxy.", SERVER_LOG;
    0x8019_01F5 BG_E_HTTP_ERROR_501 "HTTP 501: the server does not have this function.",
        "A web server or proxy without range requests.", RANGES;
    0x8019_01F6 BG_E_HTTP_ERROR_502 "HTTP 502: a proxy got no usable answer from the server.",
        "The server behind a proxy is down.", SERVER_LOG;
    0x8019_01F7 BG_E_HTTP_ERROR_503 "HTTP 503: the server cannot take the request now.",
        "The server is starting, stopping or overloaded.", RETRY;
    0x8019_01F8 BG_E_HTTP_ERROR_504 "HTTP 504: a proxy waited too long for the server.",
        "A proxy with a short time limit.", SERVER_LOG;
};

pub(super) const BITS: &[ErrorCode] = codes! { Bits;
    0x8020_0001 BG_E_NOT_FOUND "The transfer job is not there.",
        "It was cancelled or has ended.", RETRY;
    0x8020_0002 BG_E_INVALID_STATE "The transfer job is in a state that does not fit.",
        "It was changed meanwhile.", RETRY;
    0x8020_0003 BG_E_EMPTY "The transfer job has no files.",
        "A job that was made and not filled.", RETRY;
    0x8020_0004 BG_E_FILE_NOT_AVAILABLE "The file is not there yet.",
        "It was asked for before it was fetched.", RETRY;
    0x8020_0005 BG_E_PROTOCOL_NOT_AVAILABLE "There is no transfer protocol for the address.",
        "An address that is neither http nor https.", "Check the content address (weir settings show content.url).";
    0x8020_000D BG_E_DESTINATION_LOCKED "The folder of the file is locked.",
        "Another program holds it.", RETRY;
    0x8020_000E BG_E_VOLUME_CHANGED "The disk of the file was changed.",
        "A removable or virtual disk.", RETRY;
    0x8020_0010 BG_E_NETWORK_DISCONNECTED "The network is disconnected.",
        "The computer went offline; BITS goes on by itself.", RETRY;
    0x8020_0011 BG_E_MISSING_FILE_SIZE "The server does not say how large the file is.",
        "A proxy that takes the length out of answers.", RANGES;
    0x8020_0012 BG_E_INSUFFICIENT_HTTP_SUPPORT "The server's HTTP is not sufficient.",
        "A web server or proxy of HTTP 1.0.", RANGES;
    0x8020_0013 BG_E_INSUFFICIENT_RANGE_SUPPORT "The server does not answer range requests.",
        "A web server or proxy that takes them out.", RANGES;
    0x8020_0018 BG_E_PROXY_LIST_TOO_LARGE "The list of proxies is too long.",
        "The proxy setting of the system account.", PROXY;
    0x8020_0019 BG_E_PROXY_BYPASS_LIST_TOO_LARGE "The list of exceptions of the proxy is too long.",
        "The proxy setting of the system account.", PROXY;
    0x8020_001B BG_E_INVALID_SERVER_RESPONSE "The answer is not valid.",
        "A proxy or filter answers.", PROXY;
    0x8020_001C BG_E_TOO_MANY_FILES "The job has too many files.",
        "A limit of BITS.", "Look at the policies of BITS on the computer.";
    0x8020_001D BG_E_LOCAL_FILE_CHANGED "The local file was changed during the transfer.",
        "Security software, or a user.", RETRY;
    0x8020_0022 BG_E_CLIENT_SERVER_PROTOCOL_MISMATCH "The server does not know the protocol of uploads.",
        "An upload to a server without BITS.", NONE;
    0x8020_0024 BG_E_NO_PROGRESS "There was no progress within the time that is allowed.",
        "A slow or broken line.", NETWORK;
    0x8020_0027 BG_E_INVALID_AUTH_TARGET "Whom to sign in to is not valid.",
        "A wrong proxy setting of a job.", PROXY;
    0x8020_0028 BG_E_INVALID_AUTH_SCHEME "The way to sign in is not valid.",
        "A wrong proxy setting of a job.", PROXY;
    0x8020_0029 BG_E_FILE_NOT_FOUND "The file was not found.",
        "It is not in the job.", RETRY;
    0x8020_002D BG_E_CONNECT_FAILURE "No connection to the server of the file.",
        "The content address cannot be reached.", NETWORK;
    0x8020_002E BG_E_CONNECTION_CLOSED "The connection ended too early.",
        "A proxy or firewall closed it.", NETWORK;
    0x8020_003E BG_E_BLOCKED_BY_POLICY "A policy holds the transfer back.",
        "A bandwidth policy of BITS that allows nothing at this time.", "Look at the policies of BITS on the computer (maximum bandwidth).";
    0x8020_003F BG_E_INVALID_PROXY_INFO "The proxy setting is not valid.",
        "The proxy setting of the system account.", PROXY;
    0x8020_0040 BG_E_INVALID_CREDENTIALS "The credentials are not valid.",
        "A proxy or web server refuses them.", PROXY;
    0x8020_0047 BG_E_PEERCACHING_DISABLED "Fetching from neighbours is switched off.",
        "A policy.", NONE;
    0x8020_0049 BG_E_TOO_MANY_JOBS_PER_USER "The user has too many transfer jobs.",
        "A program that makes jobs and does not end them.", "bitsadmin /list /allusers on the computer; remove what is left over.";
    0x8020_0050 BG_E_TOO_MANY_JOBS_PER_MACHINE "The computer has too many transfer jobs.",
        "A program that makes jobs and does not end them.", "bitsadmin /list /allusers on the computer; remove what is left over.";
    0x8020_0051 BG_E_TOO_MANY_FILES_IN_JOB "The job has too many files.",
        "A limit of BITS.", "Look at the policies of BITS on the computer.";
    0x8020_0052 BG_E_TOO_MANY_RANGES_IN_FILE "The file has too many pieces.",
        "Express content with very many small pieces.", "Deploy the full files in place of express files.";
    0x8020_0053 BG_E_VALIDATION_FAILED "The file was transferred, but is not what it should be.",
        "A proxy, filter or cache changed it or answered in its place.", VERIFY;
    0x8020_0054 BG_E_MAXDOWNLOAD_TIMEOUT "The transfer took longer than is allowed.",
        "A slow line, or a policy with a short time.", "Look at the policies of BITS on the computer (maximum download time).";
    0x8020_0056 BG_E_TOKEN_REQUIRED "The transfer needs the token of a user.",
        "Nobody is signed in.", RETRY;
    0x8020_0059 BG_E_BLOCKED_BY_COST_TRANSFER_POLICY "The network costs too much for the transfer.",
        "A metered or roaming connection.", "Let the computer use a network that is not metered.";
    0x8020_0064 BG_E_MAX_DOWNLOAD_SIZE_LIMIT_REACHED "The transfer is larger than is allowed.",
        "A limit of the job.", AGENT_LOG;
    0x8020_0065 BG_E_STANDBY_MODE "The computer is in standby.",
        "It went to sleep.", RETRY;
    0x8020_0067 BG_E_BLOCKED_BY_BATTERY_POLICY "Nothing is transferred on battery.",
        "A policy, and no mains power.", RETRY;
    0x8020_0068 BG_E_BLOCKED_BY_BATTERY_SAVER "Nothing is transferred while battery saver is on.",
        "A low battery.", RETRY;
    0x8020_006C BG_E_DATABASE_CORRUPT "The database of BITS is damaged.",
        "The computer was switched off while it was written.", "Stop BITS, rename C:\\ProgramData\\Microsoft\\Network\\Downloader, start BITS.";
    0x8020_006F BG_E_BLOCKED_BY_GAME_MODE "Nothing is transferred in game mode.",
        "A game runs.", RETRY;
    0x8020_0070 BG_E_BLOCKED_BY_SYSTEM_POLICY "A policy of the system holds the transfer back.",
        "A state of the computer such as low memory.", RETRY;
    0x8020_0073 BG_E_REMOTE_FILE_CHANGED "The file at the server changed during the transfer.",
        "Content was replaced.", RETRY;
};

pub(super) const DELIVERY_OPTIMIZATION: &[ErrorCode] = codes! { DeliveryOptimization;
    0x80D0_1001 DO_E_NO_SERVICE "Delivery Optimization could not offer its service.",
        "The service DoSvc is disabled or does not start.", "Set DoSvc to its start type (automatic, delayed) and start it.";
    0x80D0_2002 DO_E_DOWNLOAD_NO_PROGRESS "There was no progress within the time that is allowed.",
        "The content address cannot be reached, or a firewall or proxy breaks range requests.", NETWORK;
    0x80D0_2003 DO_E_JOB_NOT_FOUND "The transfer job is not there.",
        "It was cancelled or has ended.", RETRY;
    0x80D0_2004 DO_E_JOB_EMPTY "The transfer job has no files.",
        "A job that was made and not filled.", RETRY;
    0x80D0_2005 DO_E_NO_DOWNLOADS "There are no transfers.",
        "Everything has ended.", NONE;
    0x80D0_200C DO_E_JOB_TOO_OLD "The transfer job did not end within its longest time.",
        "A slow line, or a computer that was off for long.", RETRY;
    0x80D0_200D DO_E_LOCALPATH_NOT_SET "The job does not say where the file shall be.",
        "A mistake of the program that made it.", AGENT_LOG;
    0x80D0_2010 DO_E_FILE_NOT_AVAILABLE "No address has the file.",
        "Content is missing at the server and nobody else has it.", CONTENT;
    0x80D0_2011 DO_E_UNKNOWN_PROPERTY_ID "The property is not known.",
        "Programs of different versions.", AGENT_LOG;
    0x80D0_2012 DO_E_READ_ONLY_PROPERTY "The property cannot be changed.",
        "A mistake of the program that made the job.", AGENT_LOG;
    0x80D0_2013 DO_E_INVALID_STATE "The transfer job is in a state that does not fit.",
        "It was ended or cancelled meanwhile.", RETRY;
    0x80D0_2016 DO_E_INTEGRITYCHECKINFO_UNSPECIFIED "The job demands a check of the file, but does not say what to compare with.",
        "Metadata without piece hashes.", AGENT_LOG;
    0x80D0_2017 DO_E_INTEGRITYCHECKINFO_UNAVAILABLE "What the file is to be compared with could not be had.",
        "The service on the Internet that has the piece hashes cannot be reached.", NETWORK;
    0x80D0_201A DO_E_FILE_SIZE_UNKNOWN_HTTP_200 "The answer does not say how large the file is (HTTP 200).",
        "A proxy that takes the length out of answers.", RANGES;
    0x80D0_201C DO_E_FILE_SIZE_UNKNOWN_HTTP_206 "The answer does not say how large the file is (HTTP 206).",
        "A proxy that takes the length out of answers.", RANGES;
    0x80D0_201D DO_E_FILE_SIZE_UNKNOWN_HTTP_2XX "An unexpected answer does not say how large the file is.",
        "A proxy or filter answers.", PROXY;
    0x80D0_2200 DO_E_DOWNLOAD_NO_URI "The transfer has no address.",
        "The server told no place for the file.", CONTENT;
    0x80D0_3001 DO_E_NO_DOWNLOAD_PARTICIPATION "The transfer is not allowed now because of throttling.",
        "A service that limits how many take part.", RETRY;
    0x80D0_3002 DO_E_NO_DOWNLOAD_EXTSETTINGS "A setting forbids the transfer.",
        "A user or administrator setting of Delivery Optimization.", "Look at the policies of Delivery Optimization.";
    0x80D0_3801 DO_E_BLOCKED_BY_COST_TRANSFER_POLICY "The network costs too much for the transfer.",
        "A metered or roaming connection.", "Let the computer use a network that is not metered.";
    0x80D0_3802 DO_E_DOWNLOADMODE_SET_BY_CP "The content decides in which mode it is fetched.",
        "A rule of the content.", NONE;
    0x80D0_3803 DO_E_BLOCKED_BY_CELLULAR_POLICY "Nothing is fetched over a mobile network.",
        "A policy, and a mobile connection.", RETRY;
    0x80D0_3804 DO_E_BLOCKED_BY_POWER_STATE "Nothing is fetched on battery.",
        "No mains power.", RETRY;
    0x80D0_3805 DO_E_BLOCKED_BY_NO_NETWORK "There is no network.",
        "The computer went offline; it goes on by itself.", RETRY;
    0x80D0_3806 DO_E_DOWNLOADMODE_SET_BY_POLICY "A policy decides in which mode it is fetched.",
        "The policy of the download mode.", NONE;
    0x80D0_3807 DO_E_BLOCKED_BY_VPN_POLICY "Nothing is fetched over a VPN.",
        "A policy, and a VPN.", RETRY;
    0x80D0_3808 DO_E_BLOCKED_BY_CRITICAL_MEMORY_USAGE "The computer is short of memory.",
        "Too little memory.", RETRY;
    0x80D0_3809 DO_E_DOWNLOADMODE_SET_BY_CACHE_ABSENCE "The cache folder is missing.",
        "Its drive or folder is not there.", FREE_SPACE;
    0x80D0_380A DO_E_CLOUD_SERVICES_UNREACHABLE "Services of Delivery Optimization cannot be reached.",
        "The computer has no way to the Internet. Harmless where it fetches from this server only.",
        "Set the download mode of Delivery Optimization to 0 or 99 where there is no Internet (weir policy render).";
    0x80D0_5001 DO_E_HTTP_BLOCKSIZE_MISMATCH "The answer is not as large as what was asked for.",
        "A proxy or filter changes answers.", PROXY;
    0x80D0_5002 DO_E_HTTP_CERT_VALIDATION "The certificate of the content address is not valid.",
        "Not trusted, wrong name, or expired.", TIME_AND_ROOTS;
    0x80D0_5010 DO_E_INVALID_RANGE "The part of the file that is asked for is not valid.",
        "The file at the content address has another size than the metadata says.", VERIFY;
    0x80D0_5011 DO_E_INSUFFICIENT_RANGE_SUPPORT "The server does not answer range requests.",
        "A web server or proxy that takes them out.", RANGES;
    0x80D0_5012 DO_E_OVERLAPPING_RANGES "The parts that are asked for overlap.",
        "A mistake of the program that made the job.", AGENT_LOG;
    0x80D0_6802 DO_E_FATAL_CORE_ERROR "Delivery Optimization failed for a reason inside itself.",
        "Anything.", "Restart DoSvc; Get-DeliveryOptimizationLog on the computer says more.";
    0x80D0_6804 DO_E_BAD_INCOMING_DATA "A piece of the file came incomplete or wrong.",
        "A neighbour or cache that has it wrong.", VERIFY;
    0x80D0_6805 DO_E_BAD_PIECE_HASH "A piece of the file does not have its digest.",
        "A neighbour or cache that has it wrong.", VERIFY;
};

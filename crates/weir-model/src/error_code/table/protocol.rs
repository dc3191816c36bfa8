//! The agent's network layer: what it makes of connections, HTTP statuses and SOAP faults of the server.

use super::{
    ErrorCode,
    advice::{AGENT_LOG, NETWORK, PROXY, REPORT, RESET_STORE, RETRY, SERVER_LOG, TIME_AND_ROOTS},
    codes,
};

pub(super) const CODES: &[ErrorCode] = codes! { Agent;
    0x8024_0436 WU_E_PT_CATALOG_SYNC_REQUIRED "The server does not answer searches by category: the whole catalogue is needed.",
        "An agent that asked for one category only, at a server without that call.", RETRY;
    0x8024_0437 WU_E_PT_SECURITY_VERIFICATION_FAILURE "The server could not be verified.",
        "Its TLS certificate is not trusted by the computer, has another name, or is expired.", TIME_AND_ROOTS;
    0x8024_0438 WU_E_PT_ENDPOINT_UNREACHABLE "The service cannot be reached.",
        "No route, a closed port, or a service on the Internet that a policy keeps the computer from. If a scan of this server \
         succeeded at the same time, another service was meant.", NETWORK;
    0x8024_0439 WU_E_PT_INVALID_FORMAT "The answer is not what the protocol demands.",
        "A proxy or another web server answered in the server's place.", PROXY;
    0x8024_043A WU_E_PT_INVALID_URL "The address of the service is not valid.",
        "A mistake in WUServer or WUStatusServer.", "Compare the address in the policy with weir policy render.";
    0x8024_043B WU_E_PT_NWS_NOT_LOADED "The library for web services could not be loaded.",
        "webservices.dll is missing or damaged.", "Run sfc /scannow on the computer.";
    0x8024_043C WU_E_PT_PROXY_AUTH_SCHEME_NOT_SUPPORTED "The proxy asks for a way of signing in that the agent does not have.",
        "A proxy that wants Basic or a form.", PROXY;
    0x8024_043D WU_E_SERVICEPROP_NOTAVAIL "A property of the service is not there.",
        "Registration of the service in the agent is incomplete.", RESET_STORE;
    0x8024_043E WU_E_PT_ENDPOINT_REFRESH_REQUIRED "The addresses of the service have to be fetched again.",
        "The agent's knowledge of the service is old.", RETRY;
    0x8024_043F WU_E_PT_ENDPOINTURL_NOTAVAIL "There is no address for the service that is asked for.",
        "The service is not registered, or its addresses were never fetched.", RESET_STORE;
    0x8024_0440 WU_E_PT_ENDPOINT_DISCONNECTED "The connection to the service ended.",
        "The server, a proxy or a firewall closed it.", NETWORK;
    0x8024_0441 WU_E_PT_INVALID_OPERATION "The operation does not fit the state of the connection.",
        "A step of the protocol at the wrong time.", RETRY;
    0x8024_0442 WU_E_PT_OBJECT_FAULTED "The connection had failed already.",
        "An earlier failure of the same connection.", RETRY;
    0x8024_0443 WU_E_PT_NUMERIC_OVERFLOW "A number in the answer is too large.",
        "An answer that is not of this protocol, or damaged.", SERVER_LOG;
    0x8024_0444 WU_E_PT_OPERATION_ABORTED "The call was broken off.",
        "The connection was reset, or the service is ending.", RETRY;
    0x8024_0445 WU_E_PT_OPERATION_ABANDONED "The call was given up.",
        "Nobody waits for its answer any more.", RETRY;
    0x8024_0446 WU_E_PT_QUOTA_EXCEEDED "The answer is larger than the agent takes.",
        "A limit of the agent's message size was passed.",
        "Make pages smaller: weir settings set page.bytes to a lower value.";
    0x8024_0447 WU_E_PT_NO_TRANSLATION_AVAILABLE "An error has no text in the agent's language.",
        "The text is missing; the error itself is in the agent's log.", AGENT_LOG;
    0x8024_0448 WU_E_PT_ADDRESS_IN_USE "A local address is in use.",
        "No free ports on the computer.", "Restart the computer; look for a program with very many connections.";
    0x8024_0449 WU_E_PT_ADDRESS_NOT_AVAILABLE "An address is not valid here.",
        "A network adapter that went away.", NETWORK;
    0x8024_044A WU_E_PT_OTHER "A failure of the web services library without a code of its own.",
        "Anything in its network layer.", AGENT_LOG;
    0x8024_044B WU_E_PT_SECURITY_SYSTEM_FAILURE "A security library failed.",
        "TLS or authentication could not be set up on the computer.",
        "Look in the System event log of the computer for events of Schannel.";
    0x8024_4000 WU_E_PT_SOAPCLIENT_BASE "The SOAP client failed without saying how.",
        "The first number of its range; seen when the reason was lost.", AGENT_LOG;
    0x8024_4001 WU_E_PT_SOAPCLIENT_INITIALIZE "The SOAP client could not be set up.",
        "MSXML is missing or damaged.", "Repair Windows (sfc /scannow); on old systems install MSXML again.";
    0x8024_4002 WU_E_PT_SOAPCLIENT_OUTOFMEMORY "The SOAP client ran out of memory.",
        "The computer has too little memory for what it was sent.", "Free memory, and make pages smaller (page.bytes).";
    0x8024_4003 WU_E_PT_SOAPCLIENT_GENERATE "The request could not be written.",
        "A value of the computer does not fit into the message.", AGENT_LOG;
    0x8024_4004 WU_E_PT_SOAPCLIENT_CONNECT "No connection to the server.",
        "The server is down, or its port is closed on the way.", NETWORK;
    0x8024_4005 WU_E_PT_SOAPCLIENT_SEND "The request could not be sent.",
        "The connection broke while sending; the agent's log has the code of the network layer.", NETWORK;
    0x8024_4006 WU_E_PT_SOAPCLIENT_SERVER "The server answered with an error.",
        "The server could not deal with the call.", SERVER_LOG;
    0x8024_4007 WU_E_PT_SOAPCLIENT_SOAPFAULT "The server answered with a SOAP fault.",
        "Mostly an invalid or expired cookie, or a change of the server's configuration; the agent begins anew. Otherwise a \
         request that the server refuses.",
        "Nothing if it happens once. If it stays: SoftwareDistribution\\ReportingEvents and the server's log have the fault's code.";
    0x8024_4008 WU_E_PT_SOAPCLIENT_PARSEFAULT "The fault of the server could not be read.",
        "Something else than the server answered.", PROXY;
    0x8024_4009 WU_E_PT_SOAPCLIENT_READ "The answer could not be read to its end.",
        "The connection broke in the middle of the answer.", NETWORK;
    0x8024_400A WU_E_PT_SOAPCLIENT_PARSE "The answer is not a message that the agent understands.",
        "A proxy's page, a wrong address, or a server that is none.", PROXY;
    0x8024_400B WU_E_PT_SOAP_VERSION "The envelope of the message has a version that is not understood.",
        "A server or proxy of another protocol answers at the address.", "Check the address of the server.";
    0x8024_400C WU_E_PT_SOAP_MUST_UNDERSTAND "A header of the message had to be understood and was not.",
        "A server or proxy of another protocol answers at the address.", "Check the address of the server.";
    0x8024_400D WU_E_PT_SOAP_CLIENT "The server calls the request wrong.",
        "The request was malformed or refused: an agent whose state does not fit, or a proxy that changed the request.",
        "Look at the server's log for the refused call; then reset the agent's store as for other faults.";
    0x8024_400E WU_E_PT_SOAP_SERVER "The server could not deal with a request that is right.",
        "The server was overloaded, starting, or had a failure of its own.", SERVER_LOG;
    0x8024_400F WU_E_PT_WMI_ERROR "Windows Management Instrumentation failed on the computer.",
        "The WMI repository is damaged, so that rules cannot be answered.",
        "winmgmt /verifyrepository on the computer, then winmgmt /salvagerepository.";
    0x8024_4010 WU_E_PT_EXCEEDED_MAX_SERVER_TRIPS "The scan took more calls than the agent allows (200).",
        "Very many updates are offered, or the agent's store is new: the next scan goes on from where this one was.",
        "Let it scan again. If it stays: decline what is superseded (weir cleanup run), and raise page.entries and page.bytes.";
    0x8024_4011 WU_E_PT_SUS_SERVER_NOT_SET "The address of the server is not set.",
        "WUServer is missing although UseWUServer is on.", "Apply the policies of weir policy render.";
    0x8024_4012 WU_E_PT_DOUBLE_INITIALIZATION "A part of the agent was set up twice.",
        "A mistake inside the agent.", RETRY;
    0x8024_4013 WU_E_PT_INVALID_COMPUTER_NAME "The name of the computer could not be found out.",
        "The name has characters that do not fit, or the network is not up.", "Check the name and the DNS suffix of the computer.";
    0x8024_4015 WU_E_PT_REFRESH_CACHE_REQUIRED "The server is another one than before, or the cookie is not valid: the agent's cache has to be refreshed.",
        "The server was replaced, restored or moved; the agent begins anew by itself.", RETRY;
    0x8024_4016 WU_E_PT_HTTP_STATUS_BAD_REQUEST "HTTP 400: the server does not understand the request.",
        "A proxy changed the request, or the port is that of another service (such as http on a TLS port).", PROXY;
    0x8024_4017 WU_E_PT_HTTP_STATUS_DENIED "HTTP 401: signing in is demanded.",
        "The address leads to a web server that wants credentials: agents send none to an update server. Agents do not try again.",
        "Check the address; allow anonymous access on a reverse proxy in front of the server.";
    0x8024_4018 WU_E_PT_HTTP_STATUS_FORBIDDEN "HTTP 403: the request is refused.",
        "A reverse proxy, filter or limit refuses the computer, or plain HTTP where TLS is demanded.", SERVER_LOG;
    0x8024_4019 WU_E_PT_HTTP_STATUS_NOT_FOUND "HTTP 404: there is nothing at the address.",
        "The address or port is that of another web server, or a path was added to it.",
        "Compare WUServer with weir policy render: name and port, no path.";
    0x8024_401A WU_E_PT_HTTP_STATUS_BAD_METHOD "HTTP 405: the method is not allowed.",
        "Another web server, or a proxy that blocks POST.", PROXY;
    0x8024_401B WU_E_PT_HTTP_STATUS_PROXY_AUTH_REQ "HTTP 407: the proxy demands signing in.",
        "The agent runs as the system and cannot sign in at the proxy. Agents do not try again.", PROXY;
    0x8024_401C WU_E_PT_HTTP_STATUS_REQUEST_TIMEOUT "HTTP 408: the server waited too long for the request.",
        "A very slow line, or an overloaded server.", SERVER_LOG;
    0x8024_401D WU_E_PT_HTTP_STATUS_CONFLICT "HTTP 409: the request does not fit the state at the server.",
        "A web server or proxy in between.", SERVER_LOG;
    0x8024_401E WU_E_PT_HTTP_STATUS_GONE "HTTP 410: what was asked for is gone.",
        "An old address, or a web server in between.", SERVER_LOG;
    0x8024_401F WU_E_PT_HTTP_STATUS_SERVER_ERROR "HTTP 500: the server failed. With a SOAP fault in the answer it means the fault.",
        "A failure of the server or of a reverse proxy.", SERVER_LOG;
    0x8024_4020 WU_E_PT_HTTP_STATUS_NOT_SUPPORTED "HTTP 501: the server does not have this function.",
        "Another web server answers.", "Check the address of the server.";
    0x8024_4021 WU_E_PT_HTTP_STATUS_BAD_GATEWAY "HTTP 502: a proxy got no usable answer from the server.",
        "The server behind a reverse proxy is down, or the proxy cannot resolve its name.",
        "Look at the reverse proxy's log, then at weir status.";
    0x8024_4022 WU_E_PT_HTTP_STATUS_SERVICE_UNAVAIL "HTTP 503: the server cannot take the request now.",
        "The server is starting, stopping or overloaded, or a reverse proxy finds it down.", SERVER_LOG;
    0x8024_4023 WU_E_PT_HTTP_STATUS_GATEWAY_TIMEOUT "HTTP 504: a proxy waited too long for the server.",
        "A reverse proxy with a short time limit, or an overloaded server.",
        "Raise the time limit of the proxy to at least 120 seconds.";
    0x8024_4024 WU_E_PT_HTTP_STATUS_VERSION_NOT_SUP "HTTP 505: the version of HTTP is not supported.",
        "A proxy or web server in between.", PROXY;
    0x8024_4025 WU_E_PT_FILE_LOCATIONS_CHANGED "The addresses of files have changed: the agent has to ask again.",
        "Content was moved, or its address setting changed, between scan and download.", RETRY;
    0x8024_4026 WU_E_PT_REGISTRATION_NOT_SUPPORTED "The agent does not register with this kind of server.",
        "The address is that of Windows Update, not of a managed server.", "Check the address of the server.";
    0x8024_4027 WU_E_PT_NO_AUTH_PLUGINS_REQUESTED "The server named no way to authenticate.",
        "Another server answers, or the server's configuration call failed.", SERVER_LOG;
    0x8024_4028 WU_E_PT_NO_AUTH_COOKIES_CREATED "The agent got no cookie that it can use.",
        "Authorization failed for every way that the server named.", SERVER_LOG;
    0x8024_4029 WU_E_PT_INVALID_CONFIG_PROP "A value of the server's configuration is wrong.",
        "A setting that agents do not accept, or another server.", REPORT;
    0x8024_402A WU_E_PT_CONFIG_PROP_MISSING "A value of the server's configuration is missing.",
        "An agent that expects more than the server tells.", REPORT;
    0x8024_402B WU_E_PT_HTTP_STATUS_NOT_MAPPED "An HTTP status for which the agent has no code.",
        "Mostly a proxy or filter; the agent's log has the status.", PROXY;
    0x8024_402C WU_E_PT_WINHTTP_NAME_NOT_RESOLVED "The name of the server or of the proxy cannot be resolved.",
        "DNS, a mistake in the address, or a proxy setting that names a host that is gone.", NETWORK;
    0x8024_402D WU_E_PT_LOAD_SHEDDING "The service sheds load.",
        "Too many computers at once.", RETRY;
    0x8024_402F WU_E_PT_ECP_SUCCEEDED_WITH_ERRORS "Metadata from external cabinets was taken, but not all of it.",
        "A web filter cuts or rewrites cabinet files.", PROXY;
    0x8024_4030 WU_E_PT_ECP_INIT_FAILED "Reading of external cabinets could not begin.",
        "Damaged agent files.", RESET_STORE;
    0x8024_4031 WU_E_PT_ECP_INVALID_FILE_FORMAT "A metadata file has the wrong format.",
        "The file was changed or cut on its way.", PROXY;
    0x8024_4032 WU_E_PT_ECP_INVALID_METADATA "Metadata in a cabinet is not valid.",
        "The file was changed or cut on its way.", RESET_STORE;
    0x8024_4033 WU_E_PT_ECP_FAILURE_TO_EXTRACT_DIGEST "The digest of a cabinet could not be read.",
        "The file was changed or cut on its way.", RESET_STORE;
    0x8024_4034 WU_E_PT_ECP_FAILURE_TO_DECOMPRESS_CAB_FILE "A cabinet could not be unpacked.",
        "The file was changed or cut on its way, or the disk is full.", RESET_STORE;
    0x8024_4035 WU_E_PT_ECP_FILE_LOCATION_ERROR "The addresses of external cabinets could not be had.",
        "The call for them failed.", RETRY;
    0x8024_4FFF WU_E_PT_UNEXPECTED "The network layer failed for a reason that has no code of its own.",
        "Anything: the code is what is left over.", AGENT_LOG;
    0x8024_5001 WU_E_REDIRECTOR_LOAD_XML "The document with the addresses of services could not be loaded.",
        "The redirector file was changed on its way.", PROXY;
    0x8024_5002 WU_E_REDIRECTOR_S_FALSE "The document with the addresses of services is incomplete.",
        "The redirector file was changed on its way.", PROXY;
    0x8024_5003 WU_E_REDIRECTOR_ID_SMALLER "The document with the addresses of services is older than the one known.",
        "A cache in between holds an old file.", "Empty the cache of the proxy.";
    0x8024_502D WU_E_PT_SAME_REDIR_ID "Recovery got the same document with addresses again.",
        "A cache in between holds an old file.", "Empty the cache of the proxy.";
    0x8024_502E WU_E_PT_NO_MANAGED_RECOVER "There is no recovery of addresses where a server manages the computer.",
        "The managed server could not be reached or answered wrong.", NETWORK;
    0x8024_5FFF WU_E_REDIRECTOR_UNEXPECTED "The redirector failed for a reason that has no code of its own.",
        "Anything: the code is what is left over.", AGENT_LOG;
};

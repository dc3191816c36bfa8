//! WinHTTP and WinINet (Win32 errors from 12000), sockets (from 10000), Windows Web Services.

use super::{
    ErrorCode,
    advice::{AGENT_LOG, NETWORK, PROXY, RETRY, SERVER_LOG, TIME_AND_ROOTS},
    codes,
};

pub(super) const CODES: &[ErrorCode] = codes! { WinHttp;
    0x8007_2EE1 ERROR_WINHTTP_OUT_OF_HANDLES "There are no more handles.",
        "A program that leaks connections.", "Restart the computer.";
    0x8007_2EE2 ERROR_WINHTTP_TIMEOUT "The server did not answer in time.",
        "A firewall drops packets, a slow line, or an overloaded server. Agents do not try another time at once.", NETWORK;
    0x8007_2EE4 ERROR_WINHTTP_INTERNAL_ERROR "WinHTTP failed for a reason inside itself.",
        "Anything.", AGENT_LOG;
    0x8007_2EE5 ERROR_WINHTTP_INVALID_URL "The address is not valid.",
        "A mistake in WUServer or in the content address.", "Compare the address in the policy with weir policy render.";
    0x8007_2EE6 ERROR_WINHTTP_UNRECOGNIZED_SCHEME "The address begins with something else than http or https.",
        "A mistake in WUServer: the scheme is missing.", "Compare the address in the policy with weir policy render.";
    0x8007_2EE7 ERROR_WINHTTP_NAME_NOT_RESOLVED "The name of the server cannot be resolved.",
        "DNS, a mistake in the address, or a proxy setting that names a host that is gone.", NETWORK;
    0x8007_2EE9 ERROR_WINHTTP_INVALID_OPTION "An option of the connection is not valid.",
        "A TLS setting that this system does not know.", "Bring the system up to date; check its TLS settings.";
    0x8007_2EEC ERROR_WINHTTP_SHUTDOWN "WinHTTP is shutting down.",
        "The service ends.", RETRY;
    0x8007_2EEF ERROR_WINHTTP_LOGIN_FAILURE "Signing in failed.",
        "A proxy or web server wants credentials.", PROXY;
    0x8007_2EF1 ERROR_WINHTTP_OPERATION_CANCELLED "The request was broken off.",
        "The service ended, or somebody cancelled.", RETRY;
    0x8007_2EF2 ERROR_WINHTTP_INCORRECT_HANDLE_TYPE "A handle has the wrong type.",
        "A mistake inside the agent.", AGENT_LOG;
    0x8007_2EF3 ERROR_WINHTTP_INCORRECT_HANDLE_STATE "A handle is in the wrong state.",
        "A mistake inside the agent.", RETRY;
    0x8007_2EFD ERROR_WINHTTP_CANNOT_CONNECT "No connection to the server.",
        "The server is down, its port is closed, or a proxy refuses.", NETWORK;
    0x8007_2EFE ERROR_WINHTTP_CONNECTION_ERROR "The connection ended or was reset.",
        "A firewall, proxy or load balancer closed it, or TLS versions do not fit.", NETWORK;
    0x8007_2F00 ERROR_WINHTTP_RESEND_REQUEST "The request has to be sent again.",
        "An authentication goes on.", RETRY;
    0x8007_2F05 ERROR_INTERNET_SEC_CERT_DATE_INVALID "The server's certificate is not valid at this time.",
        "It has expired, or the clock of the computer is wrong.", TIME_AND_ROOTS;
    0x8007_2F06 ERROR_INTERNET_SEC_CERT_CN_INVALID "The server's certificate is for another name.",
        "Computers use a name (or short name) that is not in the certificate.",
        "Use the name that is in the certificate in WUServer, or issue a certificate with all names.";
    0x8007_2F0C ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED "The server asks for a client certificate.",
        "The address leads to a listener that demands one.", "Check name and port in WUServer.";
    0x8007_2F0D ERROR_INTERNET_INVALID_CA "The authority that issued the server's certificate is not trusted.",
        "The computer does not have its root certificate.", "Distribute the root certificate by group policy.";
    0x8007_2F19 ERROR_WINHTTP_SECURE_CERT_REV_FAILED "It could not be checked whether the certificate is revoked.",
        "The revocation list cannot be reached.", "Make the address of the revocation list reachable.";
    0x8007_2F76 ERROR_WINHTTP_HEADER_NOT_FOUND "A header that was expected is not in the answer.",
        "A proxy or another web server answers.", PROXY;
    0x8007_2F78 ERROR_WINHTTP_INVALID_SERVER_RESPONSE "The answer is not HTTP.",
        "Plain HTTP to a TLS port, or a proxy that breaks answers.", "Check scheme and port in WUServer; then the proxy.";
    0x8007_2F7A ERROR_WINHTTP_INVALID_QUERY_REQUEST "What is asked of the answer is not valid.",
        "A mistake inside the agent.", AGENT_LOG;
    0x8007_2F7C ERROR_WINHTTP_REDIRECT_FAILED "A redirection failed.",
        "A proxy or web server sends the agent elsewhere.", PROXY;
    0x8007_2F7D ERROR_WINHTTP_SECURE_CHANNEL_ERROR "No TLS connection: the two sides do not agree.",
        "The computer offers no TLS 1.2 or none of the server's cipher suites.",
        "Bring the computer up to date and enable TLS 1.2 (also for WinHTTP on Windows 7 and Server 2008 R2, 2012).";
    0x8007_2F86 ERROR_WINHTTP_BAD_AUTO_PROXY_SCRIPT "The automatic proxy script has a mistake.",
        "The PAC file of the network.", "Correct the PAC file, or set the proxy of the system account by hand.";
    0x8007_2F87 ERROR_WINHTTP_UNABLE_TO_DOWNLOAD_SCRIPT "The automatic proxy script could not be fetched.",
        "The address of the PAC file does not answer.", PROXY;
    0x8007_2F89 ERROR_WINHTTP_SECURE_INVALID_CERT "The server's certificate is not valid.",
        "It is damaged or not one for servers.", TIME_AND_ROOTS;
    0x8007_2F8A ERROR_WINHTTP_SECURE_CERT_REVOKED "The server's certificate is revoked.",
        "Its authority took it back.", "Install a new certificate at the server.";
    0x8007_2F8F ERROR_WINHTTP_SECURE_FAILURE "The TLS certificate of the server was refused.",
        "Not trusted, wrong name, expired, or a clock that is wrong: the agent's log has the details.", TIME_AND_ROOTS;
    0x8007_2F94 ERROR_WINHTTP_AUTODETECTION_FAILED "No automatic proxy was found.",
        "The network has no automatic proxy although the computer is set to look for one.", PROXY;
    0x8007_2F95 ERROR_WINHTTP_HEADER_COUNT_EXCEEDED "The answer has too many headers.",
        "A proxy changes answers.", PROXY;
    0x8007_2F96 ERROR_WINHTTP_HEADER_SIZE_OVERFLOW "The headers of the answer are too large.",
        "A proxy changes answers.", PROXY;
    0x8007_2F97 ERROR_WINHTTP_CHUNKED_ENCODING_HEADER_SIZE_OVERFLOW "A chunk of the answer has a header that is too long.",
        "A proxy changes answers.", PROXY;
    0x8007_2F98 ERROR_WINHTTP_RESPONSE_DRAIN_OVERFLOW "The answer is larger than what is read of it.",
        "A proxy or another web server answers.", PROXY;
    0x8007_2F99 ERROR_WINHTTP_CLIENT_CERT_NO_PRIVATE_KEY "The client certificate has no private key.",
        "A certificate that was imported without its key.", "Import the certificate with its key.";
    0x8007_2F9A ERROR_WINHTTP_CLIENT_CERT_NO_ACCESS_PRIVATE_KEY "The private key of the client certificate cannot be read.",
        "The system account has no right to it.", "Give the system account the right to the key.";
};

pub(super) const SOCKETS: &[ErrorCode] = codes! { Win32;
    0x8007_2741 WSAEADDRNOTAVAIL "The address is not valid here.",
        "A network adapter that went away.", NETWORK;
    0x8007_2743 WSAENETUNREACH "There is no route to the network.",
        "Routing or VPN.", NETWORK;
    0x8007_2745 WSAECONNABORTED "The connection was broken off on this side.",
        "Security software, or a network change.", NETWORK;
    0x8007_2746 WSAECONNRESET "The other side reset the connection.",
        "A firewall or load balancer, or the server restarted.", NETWORK;
    0x8007_274C WSAETIMEDOUT "The other side did not answer in time.",
        "A firewall drops packets, or the server is down.", NETWORK;
    0x8007_274D WSAECONNREFUSED "The other side refused the connection.",
        "Nothing listens at that port.", "Check the port in WUServer, and that the server runs (weir status).";
    0x8007_2751 WSAEHOSTUNREACH "There is no route to the server.",
        "Routing or VPN.", NETWORK;
    0x8007_2AF9 WSAHOST_NOT_FOUND "There is no such host.",
        "DNS, or a mistake in the address.", NETWORK;
    0x8007_2AFA WSATRY_AGAIN "The name server did not answer.",
        "DNS is not reachable.", NETWORK;
    0x8007_2AFC WSANO_DATA "The name exists, but has no address.",
        "DNS has no record of the kind that is needed.", NETWORK;
};

pub(super) const WEB_SERVICES: &[ErrorCode] = codes! { WebServices;
    0x803D_0000 WS_E_INVALID_FORMAT "The answer is not what the protocol demands.",
        "A proxy or another web server answered in the server's place.", PROXY;
    0x803D_0001 WS_E_OBJECT_FAULTED "The connection had failed already.",
        "An earlier failure of the same connection.", RETRY;
    0x803D_0003 WS_E_INVALID_OPERATION "The operation does not fit the state of the connection.",
        "A step of the protocol at the wrong time.", RETRY;
    0x803D_0004 WS_E_OPERATION_ABORTED "The call was broken off.",
        "The connection was reset, or the service is ending.", RETRY;
    0x803D_0005 WS_E_ENDPOINT_ACCESS_DENIED "The server refused access.",
        "A web server or proxy that wants credentials.", PROXY;
    0x803D_0006 WS_E_OPERATION_TIMED_OUT "The call took too long.",
        "A slow line, or an overloaded server.", SERVER_LOG;
    0x803D_0007 WS_E_OPERATION_ABANDONED "The call was given up.",
        "Nobody waits for its answer any more.", RETRY;
    0x803D_0008 WS_E_QUOTA_EXCEEDED "The answer is larger than the agent takes.",
        "A limit of the agent's message size was passed.", "Make pages smaller: weir settings set page.bytes to a lower value.";
    0x803D_000A WS_E_SECURITY_VERIFICATION_FAILURE "The security of the answer could not be verified.",
        "The TLS certificate of the server is not trusted.", TIME_AND_ROOTS;
    0x803D_000D WS_E_ENDPOINT_NOT_FOUND "There is no service at the address.",
        "The address or port is that of another web server (HTTP 404).", "Compare WUServer with weir policy render: name and port, no path.";
    0x803D_000E WS_E_ENDPOINT_NOT_AVAILABLE "The service is not available now.",
        "HTTP 503 or similar: the server is starting, stopping or overloaded.", SERVER_LOG;
    0x803D_000F WS_E_ENDPOINT_FAILURE "The server failed.",
        "HTTP 500 or similar.", SERVER_LOG;
    0x803D_0010 WS_E_ENDPOINT_UNREACHABLE "The server cannot be reached.",
        "The server is down, or its port is closed on the way.", NETWORK;
    0x803D_0011 WS_E_ENDPOINT_ACTION_NOT_SUPPORTED "The server does not have this call.",
        "Another kind of server answers.", "Check the address of the server.";
    0x803D_0012 WS_E_ENDPOINT_TOO_BUSY "The server is too busy.",
        "Very many computers at once.", RETRY;
    0x803D_0013 WS_E_ENDPOINT_FAULT_RECEIVED "The server answered with a SOAP fault.",
        "Mostly an invalid or expired cookie, or a changed configuration; the agent begins anew.", SERVER_LOG;
    0x803D_0014 WS_E_ENDPOINT_DISCONNECTED "The connection to the server ended.",
        "The server, a proxy or a firewall closed it.", NETWORK;
    0x803D_0015 WS_E_PROXY_FAILURE "The proxy failed.",
        "The proxy of the system account.", PROXY;
    0x803D_0016 WS_E_PROXY_ACCESS_DENIED "The proxy refused access.",
        "The proxy of the system account.", PROXY;
    0x803D_0017 WS_E_NOT_SUPPORTED "This is not supported.",
        "A function that the library does not have.", AGENT_LOG;
    0x803D_0020 WS_E_INVALID_ENDPOINT_URL "The address of the server is not valid.",
        "A mistake in WUServer or WUStatusServer.", "Compare the address in the policy with weir policy render.";
};

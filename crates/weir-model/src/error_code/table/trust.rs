//! Certificates, signatures and TLS: facilities 0x00B and 0x009.

use super::{
    ErrorCode,
    advice::{AGENT_LOG, NETWORK, RETRY, TIME_AND_ROOTS},
    codes,
};

const CONTENT: &str = "Check the content of the update at the server (weir content verify); then bring the root certificates of the \
     computer up to date.";
const PUBLISHER: &str = "Distribute the certificate that signed the update: to the trusted publishers and, if it is its own issuer, to the \
     trusted roots; set the policy that accepts signed updates from an intranet location.";

pub(super) const SECURITY: &[ErrorCode] = codes! { Security;
    0x8009_0005 NTE_BAD_DATA "Encrypted data cannot be read.",
        "A damaged key container.", "Rename C:\\Windows\\System32\\catroot2 while cryptsvc is stopped.";
    0x8009_0006 NTE_BAD_SIGNATURE "A signature is wrong.",
        "A file was changed.", CONTENT;
    0x8009_0008 NTE_BAD_ALGID "The algorithm is not valid.",
        "A file that is signed with SHA-2 on a system without support for it.", "Install the SHA-2 updates of the system.";
    0x8009_000B NTE_BAD_KEY_STATE "The key cannot be used in its state.",
        "A damaged key of the computer.", AGENT_LOG;
    0x8009_000F NTE_EXISTS "The object exists already.",
        "A leftover of an earlier attempt.", RETRY;
    0x8009_0010 NTE_PERM "Access to the key was denied.",
        "Permissions of the key containers were changed.", "Give SYSTEM full control of C:\\ProgramData\\Microsoft\\Crypto.";
    0x8009_0016 NTE_BAD_KEYSET "The key container is not there.",
        "The computer's keys were lost, for example by cloning.", AGENT_LOG;
    0x8009_001D NTE_PROVIDER_DLL_FAIL "The library for cryptography does not work.",
        "A damaged file of Windows.", "Run sfc /scannow on the computer.";
    0x8009_0302 SEC_E_UNSUPPORTED_FUNCTION "The security library does not have this function.",
        "An old system, or another TLS version.", TIME_AND_ROOTS;
    0x8009_0304 SEC_E_INTERNAL_ERROR "The security library failed for a reason inside itself.",
        "Anything; the local security authority may be short of resources.", "Look in the System event log of the computer for events of Schannel and LSA.";
    0x8009_0308 SEC_E_INVALID_TOKEN "A TLS message is not valid.",
        "Plain HTTP on a TLS port or the other way round, or a proxy in between.", "Check scheme and port in WUServer.";
    0x8009_030C SEC_E_LOGON_DENIED "Signing in failed.",
        "A proxy or web server refuses the computer's account.", NETWORK;
    0x8009_030D SEC_E_UNKNOWN_CREDENTIALS "The credentials are not known.",
        "The key of a certificate cannot be read.", AGENT_LOG;
    0x8009_030E SEC_E_NO_CREDENTIALS "There are no credentials.",
        "A proxy or web server wants the computer to sign in.", NETWORK;
    0x8009_0318 SEC_E_INCOMPLETE_MESSAGE "A TLS message is incomplete.",
        "The connection ended in the middle of it.", NETWORK;
    0x8009_0322 SEC_E_WRONG_PRINCIPAL "The server has another name than expected.",
        "The certificate or the Kerberos name does not fit the address.", "Use the name that is in the certificate in WUServer.";
    0x8009_0325 SEC_E_UNTRUSTED_ROOT "The authority that issued the server's certificate is not trusted.",
        "The computer does not have its root certificate.", "Distribute the root certificate by group policy.";
    0x8009_0326 SEC_E_ILLEGAL_MESSAGE "A TLS message came at the wrong time or is wrong.",
        "TLS versions or cipher suites that do not fit, or a proxy in between.", TIME_AND_ROOTS;
    0x8009_0327 SEC_E_CERT_UNKNOWN "The certificate could not be dealt with.",
        "A certificate that the system does not understand.", TIME_AND_ROOTS;
    0x8009_0328 SEC_E_CERT_EXPIRED "The server's certificate has expired.",
        "It was not renewed, or the clock of the computer is wrong.", "Renew the certificate; check the clock of the computer.";
    0x8009_0330 SEC_E_DECRYPT_FAILURE "A TLS message could not be decrypted.",
        "A device in between changes what passes.", NETWORK;
    0x8009_0331 SEC_E_ALGORITHM_MISMATCH "There is no cipher suite that both sides have.",
        "Old or restricted TLS settings of the computer.", "Enable TLS 1.2 and current cipher suites on the computer.";
    0x8009_0349 SEC_E_CERT_WRONG_USAGE "The certificate is not for this use.",
        "It is not one for servers.", "Issue a certificate with the usage server authentication.";
    0x8009_2003 CRYPT_E_FILE_ERROR "A file with certificates or signatures could not be read.",
        "Security software, or a damaged file.", CONTENT;
    0x8009_2004 CRYPT_E_NOT_FOUND "An object or property was not found.",
        "A file signed with SHA-2 on a system without support for it, or a certificate that is missing.",
        "Install the SHA-2 updates and the newest servicing stack of the system.";
    0x8009_2009 CRYPT_E_NO_MATCH "No certificate fits.",
        "A certificate that is asked for is not there.", TIME_AND_ROOTS;
    0x8009_200E CRYPT_E_NO_SIGNER "There is no signer.",
        "The file is not signed.", CONTENT;
    0x8009_2010 CRYPT_E_REVOKED "The certificate is revoked.",
        "Its authority took it back.", "Get a file with a valid signature, or a new certificate.";
    0x8009_2012 CRYPT_E_NO_REVOCATION_CHECK "It could not be checked whether the certificate is revoked.",
        "No revocation list is known.", "Make the address of the revocation list reachable.";
    0x8009_2013 CRYPT_E_REVOCATION_OFFLINE "It could not be checked whether the certificate is revoked: the list cannot be reached.",
        "The computer does not reach the address of the revocation list.", "Make the address of the revocation list reachable.";
    0x8009_2026 CRYPT_E_SECURITY_SETTINGS "The security settings forbid it.",
        "A policy for trusted publishers or certificates.", PUBLISHER;
    0x8009_3102 CRYPT_E_ASN1_EOD "Encoded data end too early.",
        "A file that was cut.", CONTENT;
    0x8009_310B CRYPT_E_ASN1_BADTAG "Encoded data have a wrong tag.",
        "A damaged certificate or signature.", CONTENT;
};

pub(super) const CERTIFICATES: &[ErrorCode] = codes! { Security;
    0x800B_0001 TRUST_E_PROVIDER_UNKNOWN "Who should verify the signature is not known.",
        "Libraries for signatures are not registered.", "Run sfc /scannow on the computer.";
    0x800B_0003 TRUST_E_SUBJECT_FORM_UNKNOWN "The form of what is signed is not known.",
        "A file that is not what its name says, such as a page of a proxy.", CONTENT;
    0x800B_0004 TRUST_E_SUBJECT_NOT_TRUSTED "What is signed is not trusted.",
        "The file was changed, or its certificate is not trusted.", CONTENT;
    0x800B_0100 TRUST_E_NOSIGNATURE "There is no signature.",
        "The file or a manifest is not signed, or the catalogue with its signature is missing in the component store.",
        "Repair the component store; for locally published updates sign the file.";
    0x800B_0101 CERT_E_EXPIRED "A certificate is not valid at this time.",
        "It has expired and the signature has no time stamp, or the clock of the computer is wrong.", TIME_AND_ROOTS;
    0x800B_0102 CERT_E_VALIDITYPERIODNESTING "A certificate is valid longer than the one that issued it.",
        "A chain that was set up wrong.", PUBLISHER;
    0x800B_0103 CERT_E_ROLE "A certificate is used where it must not be.",
        "A certificate of a computer as authority, or the other way round.", PUBLISHER;
    0x800B_0105 CERT_E_CRITICAL "A certificate has a critical extension that is not understood.",
        "A certificate for a special use.", PUBLISHER;
    0x800B_0106 CERT_E_PURPOSE "A certificate is used for something that it is not for.",
        "It is not one for signing code.", PUBLISHER;
    0x800B_0107 CERT_E_ISSUERCHAINING "A certificate was not issued by the one that is named.",
        "A chain that does not fit.", PUBLISHER;
    0x800B_0108 CERT_E_MALFORMED "A certificate is malformed.",
        "A certificate without something that it has to have.", PUBLISHER;
    0x800B_0109 CERT_E_UNTRUSTEDROOT "The chain ends in a root that is not trusted.",
        "Locally published updates: the publisher's certificate is not on the computer. TLS: the root of the server is not.", PUBLISHER;
    0x800B_010A CERT_E_CHAINING "The chain to a trusted root could not be built.",
        "An intermediate certificate is missing.", "Distribute the intermediate certificate, or let the server send it.";
    0x800B_010B TRUST_E_FAIL "The signature could not be verified.",
        "A general failure of the check.", CONTENT;
    0x800B_010C CERT_E_REVOKED "A certificate is revoked by its issuer.",
        "Its authority took it back.", "Get a file with a valid signature, or a new certificate.";
    0x800B_010D CERT_E_UNTRUSTEDTESTROOT "The chain ends in the test root, which is not trusted.",
        "A file with a test signature.", "Use the released file.";
    0x800B_010E CERT_E_REVOCATION_FAILURE "It could not be checked whether a certificate is revoked.",
        "The revocation list cannot be reached.", "Make the address of the revocation list reachable.";
    0x800B_010F CERT_E_CN_NO_MATCH "The name in the certificate is another one than that of the server.",
        "Computers use a name (or short name) that is not in the certificate.", "Use the name that is in the certificate in WUServer.";
    0x800B_0110 CERT_E_WRONG_USAGE "The certificate is not for this use.",
        "It is not one for servers, or not one for signing code.", PUBLISHER;
    0x800B_0111 TRUST_E_EXPLICIT_DISTRUST "The certificate is explicitly distrusted.",
        "It is among the untrusted certificates of the computer.", "Get a file with another signature; look why it is distrusted.";
    0x800B_0112 CERT_E_UNTRUSTEDCA "An authority in the chain is not trusted.",
        "A certificate of another authority than the trusted ones.", PUBLISHER;
};

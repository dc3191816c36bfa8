//! Codes of no special facility, COM and RPC, the database of the agent, Windows Setup.

use super::{
    ErrorCode, Source,
    advice::{AGENT_LOG, FREE_SPACE, NONE, REPAIR_STORE, RESET_STORE, RESTART, RETRY},
    codes,
};

const REGISTER: &str = "Run sfc /scannow on the computer; if it stays, repair the component store.";
const SETUP_LOG: &str =
    "Read C:\\$WINDOWS.~BT\\Sources\\Panther\\setuperr.log on the computer, or let SetupDiag read it.";

pub(super) const COM: &[ErrorCode] = codes! { Hresult;
    0x8000_4001 E_NOTIMPL "The function is not there.",
        "A component of another version.", REGISTER;
    0x8000_4002 E_NOINTERFACE "The interface is not supported.",
        "Registration of a component is damaged.", REGISTER;
    0x8000_4003 E_POINTER "A pointer is not valid.",
        "A mistake of a program.", AGENT_LOG;
    0x8000_4004 E_ABORT "The operation was broken off.",
        "Somebody or something cancelled it.", RETRY;
    0x8000_4005 E_FAIL "It failed; nothing more is said.",
        "Anything. It also stands for a failed scan that reported no code.", AGENT_LOG;
    0x8000_FFFF E_UNEXPECTED "It failed in a way that was not expected.",
        "Anything; often a damaged component store.", REPAIR_STORE;
    0x8001_0105 RPC_E_SERVERFAULT "The other process failed during the call.",
        "That process crashed.", "Look in the Application event log of the computer for the program that crashed.";
    0x8001_0108 RPC_E_DISCONNECTED "The object that was called is gone.",
        "Its process ended.", RETRY;
    0x8001_0109 RPC_E_RETRY "The call has to be made again later.",
        "The other process is busy.", RETRY;
    0x8004_0154 REGDB_E_CLASSNOTREG "A component is not registered.",
        "A library of the agent or of MSXML is missing or not registered.", REGISTER;
    0x8004_0155 REGDB_E_IIDNOTREG "An interface is not registered.",
        "A library is missing or not registered.", REGISTER;
    0x8004_01F0 CO_E_NOTINITIALIZED "COM was not set up.",
        "A mistake of a program.", RETRY;
    0x8004_01F3 CO_E_CLASSSTRING "The name of a component is not valid.",
        "A library is not registered.", REGISTER;
    0x8004_01FD CO_E_OBJNOTCONNECTED "The object is not connected to its server.",
        "The process of the object ended.", RETRY;
    0x8004_1001 WBEM_E_FAILED "Windows Management Instrumentation failed.",
        "The WMI repository is damaged.", WMI;
    0x8004_1002 WBEM_E_NOT_FOUND "Windows Management Instrumentation does not have the object.",
        "A class or instance is missing.", WMI;
    0x8004_1003 WBEM_E_ACCESS_DENIED "Windows Management Instrumentation denied access.",
        "Rights of a namespace were changed.", WMI;
    0x8004_1006 WBEM_E_OUT_OF_MEMORY "Windows Management Instrumentation ran out of memory.",
        "A quota of the WMI host, or a program that leaks.", RESTART;
    0x8004_1010 WBEM_E_INVALID_CLASS "The class does not exist in Windows Management Instrumentation.",
        "The WMI repository is damaged or a provider is not installed.", WMI;
    0x8004_1013 WBEM_E_PROVIDER_LOAD_FAILURE "A provider of Windows Management Instrumentation could not be loaded.",
        "A library is missing or not registered.", WMI;
    0x8008_0005 CO_E_SERVER_EXEC_FAILURE "The server of a component did not start.",
        "The service is disabled, hangs, or the computer is very slow.", RESTART;
};

const WMI: &str = "winmgmt /verifyrepository on the computer, then winmgmt /salvagerepository.";

pub(super) const SETUP: &[ErrorCode] = codes! { Setup;
    0xC190_0200 MOSETUP_E_COMPAT_SYSREQ_BLOCK "The computer does not meet the requirements of the new version of Windows.",
        "Processor, TPM, secure boot, memory or disk.", "Leave such computers out of the deployment, or replace them.";
    0xC190_0204 MOSETUP_E_COMPAT_MIGCHOICE_BLOCK "What shall be kept cannot be kept.",
        "Another edition, architecture or language than the one that is installed.", "Deploy the feature update for the installed edition and language.";
    0xC190_0208 MOSETUP_E_COMPAT_INSTALLREQ_BLOCK "Something installed is not compatible with the new version of Windows.",
        "A program or driver that blocks the upgrade.", "Read CompatData*.xml in C:\\$WINDOWS.~BT\\Sources\\Panther: it names the program or driver.";
    0xC190_020E MOSETUP_E_INSTALLDISKSPACE_BLOCK "There is too little space for the new version of Windows.",
        "The system drive is full.", FREE_SPACE;
    0xC190_0210 MOSETUP_E_COMPAT_SCANONLY "The computer could be upgraded: nothing stands against it.",
        "Setup only looked.", NONE;
};

/// Windows Setup's general code, for which no name is published.
pub(super) const SETUP_ROLLBACK: &[ErrorCode] = &[ErrorCode {
    code: 0xC190_0101,
    name: "",
    meaning: "The upgrade of Windows was rolled back, mostly because of a driver.",
    cause: "A driver that does not work with the new version; the second number in the log says in which phase.",
    next_step: SETUP_LOG,
    source: Source::Setup,
}];

pub(super) const DATABASE: &[ErrorCode] = codes! { Database;
    0xC800_01F5 JET_errLogFileCorrupt "A log of the agent's database is damaged.",
        "The computer was switched off while it was written.", RESET_STORE;
    0xC800_01FE JET_errLogWriteFail "A log of the agent's database could not be written.",
        "A full or failing disk, or security software.", FREE_SPACE;
    0xC800_0226 JET_errDatabaseDirtyShutdown "The agent's database was not closed.",
        "The computer was switched off while it was in use.", RESET_STORE;
    0xC800_0227 JET_errConsistentTimeMismatch "Logs and file of the agent's database do not fit.",
        "The file was restored or copied without its logs.", RESET_STORE;
    0xC800_03F3 JET_errOutOfMemory "The agent's database ran out of memory.",
        "A small computer with a very large store.", "Decline what is superseded (weir cleanup run), then reset the agent's store.";
    0xC800_03FA JET_errReadVerifyFailure "A page of the agent's database has a wrong checksum.",
        "A failing disk.", "Check the disk (chkdsk, S.M.A.R.T.), then reset the agent's store.";
    0xC800_03FB JET_errPageNotInitialized "A page of the agent's database is empty.",
        "A failing disk, or the computer was switched off.", RESET_STORE;
    0xC800_0408 JET_errFileAccessDenied "The file of the agent's database cannot be opened.",
        "Security or backup software holds it.", "Except C:\\Windows\\SoftwareDistribution from real-time scanning.";
    0xC800_042D JET_errVersionStoreOutOfMemory "The agent's database has too much under way.",
        "A very long operation.", RESTART;
    0xC800_04B6 JET_errDatabaseCorrupted "The agent's database is damaged.",
        "A failing disk, or the computer was switched off.", RESET_STORE;
    0xC800_0710 JET_errDiskFull "There is no room for the agent's database.",
        "The system drive is full.", FREE_SPACE;
    0xC800_0713 JET_errFileNotFound "The file of the agent's database is not there.",
        "Somebody removed it while the agent ran.", RESTART;
};

//! Parts of the agent: data store, inventory, Automatic Updates, self-update.

use super::{
    ErrorCode,
    advice::{AGENT_LOG, NONE, REPORT, RESET_STORE, RESTART, RETRY},
    codes,
};

pub(super) const CODES: &[ErrorCode] = codes! { Agent;
    0x8024_8000 WU_E_DS_SHUTDOWN "The agent is shutting down.",
        "Service or computer end.", RETRY;
    0x8024_8001 WU_E_DS_INUSE "The store was in use.",
        "Two operations at once, or security software that holds the file.", RETRY;
    0x8024_8002 WU_E_DS_INVALID "The store is not in the state that was expected.",
        "It is damaged.", RESET_STORE;
    0x8024_8003 WU_E_DS_TABLEMISSING "A table is missing in the store.",
        "It is damaged.", RESET_STORE;
    0x8024_8004 WU_E_DS_TABLEINCORRECT "A table of the store has other columns than it should.",
        "It is damaged, or of another version.", RESET_STORE;
    0x8024_8005 WU_E_DS_INVALIDTABLENAME "A table cannot be opened because it is not there.",
        "The store is damaged.", RESET_STORE;
    0x8024_8006 WU_E_DS_BADVERSION "The store has another version than the agent.",
        "The agent was replaced by an older one.", RESET_STORE;
    0x8024_8007 WU_E_DS_NODATA "What is asked for is not in the store.",
        "Metadata or license terms are missing; seen when a file of the terms could not be fetched.",
        "Scan again; if it stays, reset the agent's store as for other codes of this range.";
    0x8024_8008 WU_E_DS_MISSINGDATA "A value is missing in the store.",
        "It is damaged.", RESET_STORE;
    0x8024_8009 WU_E_DS_MISSINGREF "Something in the store refers to what is not there.",
        "License terms, texts or linked rows are missing.", RESET_STORE;
    0x8024_800A WU_E_DS_UNKNOWNHANDLER "An update was left out: its handler is not known.",
        "The update needs a newer agent.", "Bring the agent up to date.";
    0x8024_800B WU_E_DS_CANTDELETE "An update cannot be deleted: a service still refers to it.",
        "It is in use.", NONE;
    0x8024_800C WU_E_DS_LOCKTIMEOUTEXPIRED "A part of the store stayed locked too long.",
        "A slow disk, or an operation that hangs.", RESTART;
    0x8024_800D WU_E_DS_NOCATEGORIES "A category was left out: nothing is above it and it is no top category.",
        "Metadata of categories is incomplete.", REPORT;
    0x8024_800E WU_E_DS_ROWEXISTS "A row with this key is there already.",
        "The store and the server do not agree.", RESET_STORE;
    0x8024_800F WU_E_DS_STOREFILELOCKED "The file of the store is locked.",
        "Security or backup software holds it.", "Except C:\\Windows\\SoftwareDistribution from real-time scanning.";
    0x8024_8010 WU_E_DS_CANNOTREGISTER "The store cannot be registered in this process.",
        "A program loads the agent where it must not.", AGENT_LOG;
    0x8024_8011 WU_E_DS_UNABLETOSTART "The store could not be opened in the other process.",
        "The service does not start or is damaged.", RESTART;
    0x8024_8013 WU_E_DS_DUPLICATEUPDATEID "The server sent the same update with two different revision numbers of its own.",
        "The computer moved between servers, or the server was restored from an older backup, and the agent kept its store.",
        RESET_STORE;
    0x8024_8014 WU_E_DS_UNKNOWNSERVICE "The service is not in the store.",
        "The registration of Microsoft Update or of this server is gone from the agent.", RESET_STORE;
    0x8024_8015 WU_E_DS_SERVICEEXPIRED "The registration of the service has expired.",
        "An agent that did not reach the service for very long.", RESET_STORE;
    0x8024_8016 WU_E_DS_DECLINENOTALLOWED "The update may not be hidden.",
        "It is mandatory, or deployed with a deadline.", NONE;
    0x8024_8017 WU_E_DS_TABLESESSIONMISMATCH "A table was to be closed by a session that it does not belong to.",
        "A mistake inside the agent.", RETRY;
    0x8024_8018 WU_E_DS_SESSIONLOCKMISMATCH "A lock was to be released by a session that does not hold it.",
        "A mistake inside the agent.", RETRY;
    0x8024_8019 WU_E_DS_NEEDWINDOWSSERVICE "The built-in service may not be removed.",
        "A program tried to take Windows Update out of the agent.", NONE;
    0x8024_801A WU_E_DS_INVALIDOPERATION "The store does not allow the operation.",
        "A step at the wrong time.", RETRY;
    0x8024_801B WU_E_DS_SCHEMAMISMATCH "Store and backup have different layouts.",
        "A backup of another version.", RESET_STORE;
    0x8024_801C WU_E_DS_RESETREQUIRED "The session with the store has to begin anew.",
        "The store was replaced meanwhile.", RETRY;
    0x8024_801D WU_E_DS_IMPERSONATED "The store was called in the name of a user.",
        "A program calls the agent with a borrowed identity.", AGENT_LOG;
    0x8024_801E WU_E_DS_DATANOTAVAILABLE "The data is not there yet.",
        "It is still being fetched.", RETRY;
    0x8024_801F WU_E_DS_DATANOTLOADED "The data is not loaded.",
        "A part of the metadata was left out to save memory.", RETRY;
    0x8024_8020 WU_E_DS_NODATA_NOSUCHREVISION "There is no such revision in the store.",
        "It was replaced by a newer one.", RETRY;
    0x8024_8021 WU_E_DS_NODATA_NOSUCHUPDATE "There is no such update in the store.",
        "It left the scope of the computer.", RETRY;
    0x8024_8022 WU_E_DS_NODATA_EULA "There are no license terms in the store.",
        "Their file could not be fetched.", "Check the content of the update (weir content status); scan again.";
    0x8024_8FFF WU_E_DS_UNEXPECTED "The store failed for a reason that has no code of its own.",
        "Anything: the code is what is left over.", RESET_STORE;
    0x8024_9001 WU_E_INVENTORY_PARSEFAILED "The rules of the inventory cannot be read.",
        "The file was changed on its way.", AGENT_LOG;
    0x8024_9002 WU_E_INVENTORY_GET_INVENTORY_TYPE_FAILED "What inventory is wanted could not be asked.",
        "The call to the server failed.", RETRY;
    0x8024_9003 WU_E_INVENTORY_RESULT_UPLOAD_FAILED "The inventory could not be sent.",
        "The call to the server failed.", RETRY;
    0x8024_9004 WU_E_INVENTORY_UNEXPECTED "The inventory failed for a reason that has no code of its own.",
        "Anything: the code is what is left over.", AGENT_LOG;
    0x8024_9005 WU_E_INVENTORY_WMI_ERROR "Windows Management Instrumentation failed while it was asked for the inventory.",
        "The WMI repository is damaged.", "winmgmt /verifyrepository on the computer, then winmgmt /salvagerepository.";
    0x8024_A000 WU_E_AU_NOSERVICE "Automatic Updates could not take requests.",
        "The service is not running or disabled.", "Set wuauserv to its start type (manual, triggered) and start it.";
    0x8024_A002 WU_E_AU_NONLEGACYSERVER "The old client of Automatic Updates has stopped because the server is newer.",
        "A client of the first generation.", NONE;
    0x8024_A003 WU_E_AU_LEGACYCLIENTDISABLED "The old client of Automatic Updates is switched off.",
        "A client of the first generation.", NONE;
    0x8024_A004 WU_E_AU_PAUSED "Automatic Updates is paused.",
        "A user or policy paused updates.", "Take the pause back, or wait for its end.";
    0x8024_A005 WU_E_AU_NO_REGISTERED_SERVICE "No service is registered with Automatic Updates.",
        "The registration of services in the agent is damaged.", RESET_STORE;
    0x8024_A006 WU_E_AU_DETECT_SVCID_MISMATCH "The service is another one than at the scan.",
        "The server of the computer changed in between.", RETRY;
    0x8024_A007 WU_E_REBOOT_IN_PROGRESS "The computer is restarting.",
        "A restart runs.", RETRY;
    0x8024_A008 WU_E_AU_OOBE_IN_PROGRESS "The first set-up of Windows has not ended.",
        "A new computer.", RETRY;
    0x8024_AFFF WU_E_AU_UNEXPECTED "Automatic Updates failed for a reason that has no code of its own.",
        "Anything: the code is what is left over.", AGENT_LOG;
    0x8024_D001 WU_E_SETUP_INVALID_INFDATA "The agent could not be updated: its INF file is not valid.",
        "The self-update files are damaged.", SELF_UPDATE;
    0x8024_D002 WU_E_SETUP_INVALID_IDENTDATA "The agent could not be updated: wuident.cab is not valid.",
        "The self-update files are damaged, or a proxy answered.", SELF_UPDATE;
    0x8024_D003 WU_E_SETUP_ALREADY_INITIALIZED "The agent could not be updated: it began twice.",
        "A mistake inside the agent.", RETRY;
    0x8024_D004 WU_E_SETUP_NOT_INITIALIZED "The agent could not be updated: it did not get to begin.",
        "An earlier step failed.", AGENT_LOG;
    0x8024_D005 WU_E_SETUP_SOURCE_VERSION_MISMATCH "The agent could not be updated: files have other versions than said.",
        "The self-update files do not belong together.", SELF_UPDATE;
    0x8024_D006 WU_E_SETUP_TARGET_VERSION_GREATER "The agent was not updated: the computer has a newer one.",
        "It is up to date.", NONE;
    0x8024_D007 WU_E_SETUP_REGISTRATION_FAILED "The agent could not be updated: a library could not be registered.",
        "regsvr32 failed.", "Run sfc /scannow on the computer.";
    0x8024_D008 WU_E_SELFUPDATE_SKIP_ON_FAILURE "The agent is not updated again: that failed before.",
        "An earlier attempt failed.", AGENT_LOG;
    0x8024_D009 WU_E_SETUP_SKIP_UPDATE "The agent is not updated: wuident.cab says so.",
        "The server has nothing for this system.", NONE;
    0x8024_D00A WU_E_SETUP_UNSUPPORTED_CONFIGURATION "The agent could not be updated: the system is not supported.",
        "A system without newer agents.", NONE;
    0x8024_D00B WU_E_SETUP_BLOCKED_CONFIGURATION "The agent could not be updated: the system blocks it.",
        "A policy or setting.", AGENT_LOG;
    0x8024_D00C WU_E_SETUP_REBOOT_TO_FIX "The agent could not be updated before a restart.",
        "A restart is due.", RESTART;
    0x8024_D00D WU_E_SETUP_ALREADYRUNNING "The agent is being updated already.",
        "Two attempts at once.", RETRY;
    0x8024_D00E WU_E_SETUP_REBOOTREQUIRED "The agent is updated after a restart.",
        "Its files are in use.", RESTART;
    0x8024_D00F WU_E_SETUP_HANDLER_EXEC_FAILURE "The agent could not be updated: its installer failed.",
        "The installer did not run.", AGENT_LOG;
    0x8024_D010 WU_E_SETUP_INVALID_REGISTRY_DATA "The agent could not be updated: the registry has invalid values.",
        "Damaged values of the agent.", RESET_STORE;
    0x8024_D011 WU_E_SELFUPDATE_REQUIRED "The agent has to be updated first.",
        "It is too old for the server.", RETRY;
    0x8024_D012 WU_E_SELFUPDATE_REQUIRED_ADMIN "The agent has to be updated first, by an administrator.",
        "It is too old for the server.", "Let the computer scan as the system.";
    0x8024_D013 WU_E_SETUP_WRONG_SERVER_VERSION "The agent could not be updated: the server has nothing for its version.",
        "The self-update files are for other agents.", NONE;
    0x8024_DFFF WU_E_SETUP_UNEXPECTED "The agent could not be updated, for a reason that has no code of its own.",
        "Anything: the code is what is left over.", AGENT_LOG;
};

const SELF_UPDATE: &str =
    "Replace the self-update files at the server by those of the same version, or switch self-update off.";

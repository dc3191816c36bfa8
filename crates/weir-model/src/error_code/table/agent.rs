//! The agent itself: facility 0x024, codes 0x0001 to 0x0FFF without those of its network layer.

use super::{
    ErrorCode,
    advice::{AGENT_LOG, NETWORK, NONE, PROXY, REDETECT, REPORT, RESET_STORE, RESTART, RETRY},
    codes,
};

pub(super) const CODES: &[ErrorCode] = codes! { Agent;
    0x0024_0001 WU_S_SERVICE_STOP "The agent was stopped, and stopped cleanly.",
        "Somebody or something stopped the service.", NONE;
    0x0024_0002 WU_S_SELFUPDATE "The agent brought itself up to date.",
        "A newer agent was offered by the self-update tree.", NONE;
    0x0024_0003 WU_S_UPDATE_ERROR "The call succeeded, but some of the updates in it did not.",
        "At least one update of several failed.", "Look at the errors of the single updates of the computer.";
    0x0024_0004 WU_S_MARKED_FOR_DISCONNECT "A callback is to be disconnected once it has ended.",
        "A program ended its request while it was being answered.", NONE;
    0x0024_0005 WU_S_REBOOT_REQUIRED "The installation is complete after a restart.",
        "Files in use are replaced at the next start.", RESTART;
    0x0024_0006 WU_S_ALREADY_INSTALLED "The update was already there.",
        "It was installed in another way since the last scan.", REDETECT;
    0x0024_0007 WU_S_ALREADY_UNINSTALLED "The update to be removed was not there.",
        "It was removed in another way since the last scan.", REDETECT;
    0x0024_0008 WU_S_ALREADY_DOWNLOADED "The files were already there.",
        "An earlier attempt, or another update with the same files, had fetched them.", NONE;
    0x8024_0001 WU_E_NO_SERVICE "The agent could not offer the service that was asked for.",
        "The service wuauserv is disabled, is ending, or failed to start.",
        "Set wuauserv to its start type (manual, triggered) and start it; look for its errors in the System event log.";
    0x8024_0002 WU_E_MAX_CAPACITY_REACHED "The agent has as much under way as it can take.",
        "Several programs ask it at once.", RETRY;
    0x8024_0003 WU_E_UNKNOWN_ID "An identifier is not known to the agent.",
        "The update left the agent's store between scan and installation.", REDETECT;
    0x8024_0004 WU_E_NOT_INITIALIZED "A part of the agent was used before it was ready.",
        "The agent is starting, or failed to start.", AGENT_LOG;
    0x8024_0005 WU_E_RANGEOVERLAP "A handler asked twice for the same bytes of a file.",
        "Express or delta content and metadata do not agree.", RESET_STORE;
    0x8024_0006 WU_E_TOOMANYRANGES "A handler asked for more pieces of a file than the agent takes.",
        "Express content with very many small pieces.", "Deploy the full files in place of express files.";
    0x8024_0007 WU_E_INVALIDINDEX "A program named an entry of a list that does not exist.",
        "A script or tool that drives the agent has an error.", "Correct the script that calls the agent.";
    0x8024_0008 WU_E_ITEMNOTFOUND "The agent did not find an entry under its key.",
        "Parts of the agent's store are missing.", RESET_STORE;
    0x8024_0009 WU_E_OPERATIONINPROGRESS "Another operation of the same kind is under way.",
        "An installation or a scan runs already, by another program or a user.", RETRY;
    0x8024_000A WU_E_COULDNOTCANCEL "The operation could not be called off.",
        "It had passed the point up to which that is possible.", NONE;
    0x8024_000B WU_E_CALL_CANCELLED "The operation was called off.",
        "A user, a program or the end of a maintenance window stopped it.", RETRY;
    0x8024_000C WU_E_NOOP "There was nothing to do.",
        "What was asked for was so already.", NONE;
    0x8024_000D WU_E_XML_MISSINGDATA "Something that is required is missing in the metadata of an update.",
        "The agent is older than the update's schema, or the metadata was damaged on its way.", RESET_STORE;
    0x8024_000E WU_E_XML_INVALID "Something in the metadata of an update is not allowed.",
        "The metadata was damaged on its way or in the store, or the agent is too old for it.", RESET_STORE;
    0x8024_000F WU_E_CYCLE_DETECTED "Updates refer to each other in a circle.",
        "Metadata, often locally published, with a prerequisite that leads back to itself.",
        "Find the update by its id in the agent's log and decline it; correct what was published.";
    0x8024_0010 WU_E_TOO_DEEP_RELATION "Updates refer to each other over too many steps.",
        "Bundles in bundles, or a very long chain of prerequisites.",
        "Find the update by its id in the agent's log and decline it.";
    0x8024_0011 WU_E_INVALID_RELATIONSHIP "A relation between updates is not allowed.",
        "Metadata that refers to the wrong kind of update.", "Find the update by its id in the agent's log and decline it.";
    0x8024_0012 WU_E_REG_VALUE_INVALID "A value in the registry cannot be used.",
        "A policy or setting of the agent has the wrong type or range.",
        "Compare HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows\\WindowsUpdate with weir policy render.";
    0x8024_0013 WU_E_DUPLICATE_ITEM "The same entry was to be added twice to a list.",
        "A program added an update twice, or the agent's store has doubles.", RESET_STORE;
    0x8024_0014 WU_E_INVALID_INSTALL_REQUESTED "The updates cannot be installed by the one who asked for it.",
        "A program asked for updates that are offered to another caller.", AGENT_LOG;
    0x8024_0016 WU_E_INSTALL_NOT_ALLOWED "An installation is not possible now.",
        "Another one is under way, or a restart is due since an earlier one.", RESTART;
    0x8024_0017 WU_E_NOT_APPLICABLE "None of the updates applies to the computer.",
        "What was needed at the scan is installed or superseded by now, or the package is for another build.", REDETECT;
    0x8024_0018 WU_E_NO_USERTOKEN "The user on whose behalf it should happen is not known.",
        "An installation for a user without that user being signed in.", "Let it run while the user is signed in, or as the system.";
    0x8024_0019 WU_E_EXCLUSIVE_INSTALL_CONFLICT "An update that must be installed alone was to be installed with others.",
        "Feature updates and some servicing stacks are exclusive.", RETRY;
    0x8024_001A WU_E_POLICY_NOT_SET "A policy that the agent needs is not set.",
        "The address of the server is missing although its use is switched on, or the policies are still arriving.",
        "Apply the policies of weir policy render and run gpupdate /force.";
    0x8024_001B WU_E_SELFUPDATE_IN_PROGRESS "The agent is being replaced by a newer one.",
        "Self-update runs.", RETRY;
    0x8024_001D WU_E_INVALID_UPDATE "The metadata of an update is not valid.",
        "The document was damaged, or made by a tool that writes wrong documents.", RESET_STORE;
    0x8024_001E WU_E_SERVICE_STOP "The operation ended because the service or the computer was shutting down.",
        "The computer was switched off or restarted, or the service was stopped, in the middle of it.", RETRY;
    0x8024_001F WU_E_NO_CONNECTION "There was no network.",
        "The computer was offline, or its network came up later than the agent.", NETWORK;
    0x8024_0020 WU_E_NO_INTERACTIVE_USER "Nobody is signed in who could answer.",
        "An update that asks something was installed without a user.", "Install it while somebody is signed in.";
    0x8024_0021 WU_E_TIME_OUT "The operation took too long.",
        "A slow disk or network, or an installer that waits for something.", RETRY;
    0x8024_0022 WU_E_ALL_UPDATES_FAILED "Each of the updates of this operation failed.",
        "Something that all have in common: no space, a damaged store, a pending restart.",
        "Look at the errors of the single updates of the computer: they say why.";
    0x8024_0023 WU_E_EULAS_DECLINED "The license terms were not accepted.",
        "The update has terms that nobody accepted at the server, or a user declined them.",
        "Accept them at the server: weir updates eula accept ID.";
    0x8024_0024 WU_E_NO_UPDATE "There are no updates in what was asked for.",
        "The list of the operation was empty, or its updates are gone.", REDETECT;
    0x8024_0025 WU_E_USER_ACCESS_DISABLED "A policy keeps users from Windows Update.",
        "The policy that removes access to Windows Update features is set.", "Nothing, if that is meant: the agent still installs by itself.";
    0x8024_0026 WU_E_INVALID_UPDATE_TYPE "The kind of the update is not one that fits the operation.",
        "A program mixes software, drivers and detectoids.", REPORT;
    0x8024_0027 WU_E_URL_TOO_LONG "An address is longer than the agent takes.",
        "A very long content address.", "Use a shorter content address (weir settings set content.url).";
    0x8024_0028 WU_E_UNINSTALL_NOT_ALLOWED "The update may not be removed.",
        "A removal that no managing server asked for, or of an update that cannot be removed.",
        "Deploy it with the action uninstall, if the update allows that.";
    0x8024_0029 WU_E_INVALID_PRODUCT_LICENSE "Some updates may be missing: an application on the computer has no license.",
        "A product whose license could not be read takes part in the scan.", "Repair or remove that product; the agent's log names it.";
    0x8024_002A WU_E_MISSING_HANDLER "A component that detects updates is missing.",
        "An installer technology or an extension of the agent is not there.", AGENT_LOG;
    0x8024_002B WU_E_LEGACYSERVER "The operation needs a newer server.",
        "The agent is set to a server that is older than the protocol it needs.", "Check to which server the computer is set.";
    0x8024_002C WU_E_BIN_SOURCE_ABSENT "A delta could not be applied because the file it starts from is missing.",
        "The computer has another version of the file than the delta expects.", "Offer the full files, or install the full package by hand.";
    0x8024_002D WU_E_SOURCE_ABSENT "A full file asks for the original installation source, which is not there.",
        "Office and similar products without their source.", "Give the computer access to the product's source, or repair the product.";
    0x8024_002E WU_E_WU_DISABLED "Access to a server that is not managed is not allowed.",
        "A policy forbids Windows Update on the Internet, and a program asked for it.",
        "Nothing, if that is meant; else change the policy \"do not connect to any Windows Update Internet locations\".";
    0x8024_002F WU_E_CALL_CANCELLED_BY_POLICY "A policy forbids Windows Update altogether.",
        "DisableWindowsUpdateAccess is set for the computer.", "Take the policy back (it also stops scans against this server).";
    0x8024_0030 WU_E_INVALID_PROXY_SERVER "The list of proxies cannot be read.",
        "A mistake in the proxy of the system account.", PROXY;
    0x8024_0031 WU_E_INVALID_FILE "A file has the wrong format.",
        "Something else than the file came over the line, such as a page of a proxy.", PROXY;
    0x8024_0032 WU_E_INVALID_CRITERIA "The text of a search is not valid.",
        "A script that searches for updates has a mistake.", "Correct the criteria in the script.";
    0x8024_0033 WU_E_EULA_UNAVAILABLE "The license terms could not be fetched.",
        "The file of the terms is not at the server.", "Look for it: weir content status --state waiting.";
    0x8024_0034 WU_E_DOWNLOAD_FAILED "The files of the update could not be fetched.",
        "Content is missing at the server, or the transfer broke.",
        "Check that the content is here (weir content status) and that the computer reaches the content address.";
    0x8024_0035 WU_E_UPDATE_NOT_PROCESSED "The update was not dealt with.",
        "The operation ended before it came to this update.", RETRY;
    0x8024_0036 WU_E_INVALID_OPERATION "The operation does not fit the state.",
        "A step was asked for before the one that it needs, such as install before download.", RETRY;
    0x8024_0037 WU_E_NOT_SUPPORTED "This is not supported here.",
        "The update or the edition of Windows does not know the operation.", AGENT_LOG;
    0x8024_0038 WU_E_WINHTTP_INVALID_FILE "What was downloaded is not what the type says.",
        "A proxy or filter answered with a page of its own.", PROXY;
    0x8024_0039 WU_E_TOO_MANY_RESYNC "The server asked the agent too often to begin again.",
        "The agent's store and the server do not agree, time and again.", RESET_STORE;
    0x8024_0040 WU_E_NO_SERVER_CORE_SUPPORT "This function does not exist on Server Core.",
        "A script asks for something with a user interface.", "Use another way on Server Core.";
    0x8024_0041 WU_E_SYSPREP_IN_PROGRESS "Windows is being prepared for cloning.",
        "Sysprep is running.", RETRY;
    0x8024_0042 WU_E_UNKNOWN_SERVICE "The update service is not registered any more.",
        "The service was removed from the agent between two steps.", RESET_STORE;
    0x8024_0043 WU_E_NO_UI_SUPPORT "The agent has no user interface here.",
        "Server Core, or a build without one.", NONE;
    0x8024_0044 WU_E_PER_MACHINE_UPDATE_ACCESS_DENIED "Only administrators may do this with updates for the whole computer.",
        "A script ran without administrator rights.", "Run it elevated.";
    0x8024_0045 WU_E_UNSUPPORTED_SEARCHSCOPE "The scope of the search is not supported for this kind of search.",
        "A script asks for per-user updates where there are none.", "Correct the script.";
    0x8024_0046 WU_E_BAD_FILE_URL "The address does not name a file.",
        "A content address that ends in a folder.", "Check the content address (weir settings show content.url).";
    0x8024_0047 WU_E_REVERT_NOT_ALLOWED "The update could not be taken back.",
        "It has no way back, or other updates stand on it.", CBS_HINT;
    0x8024_0048 WU_E_INVALID_NOTIFICATION_INFO "What the server says of a notification cannot be used.",
        "Metadata of a featured update is wrong.", REPORT;
    0x8024_0049 WU_E_OUTOFRANGE "A value is out of its range.",
        "A setting or a field of metadata is too large or too small.", AGENT_LOG;
    0x8024_004A WU_E_SETUP_IN_PROGRESS "Windows Setup is running.",
        "A feature update or the first start has not ended.", RETRY;
    0x8024_004B WU_E_ORPHANED_DOWNLOAD_JOB "A download has nobody who waits for it.",
        "The program that asked for it ended.", NONE;
    0x8024_004C WU_E_LOW_BATTERY "The battery is too low for the update.",
        "A portable computer without power supply.", "Nothing: it goes on once the computer is on mains power.";
    0x8024_004D WU_E_INFRASTRUCTUREFILE_INVALID_FORMAT "A file that the agent itself needs has the wrong format.",
        "A proxy changed the file, or it was cut.", PROXY;
    0x8024_004E WU_E_INFRASTRUCTUREFILE_REQUIRES_SSL "A file that the agent itself needs is only allowed over TLS.",
        "The address has no https.", "Use https in the address of the server.";
    0x8024_004F WU_E_IDLESHUTDOWN_OPCOUNT_DISCOVERY "The service was about to end for want of work while discovery ran.",
        "Work came in the moment it was ending.", RETRY;
    0x8024_0050 WU_E_IDLESHUTDOWN_OPCOUNT_SEARCH "The service was about to end for want of work while a scan ran.",
        "Work came in the moment it was ending.", RETRY;
    0x8024_0051 WU_E_IDLESHUTDOWN_OPCOUNT_DOWNLOAD "The service was about to end for want of work while a download ran.",
        "Work came in the moment it was ending.", RETRY;
    0x8024_0052 WU_E_IDLESHUTDOWN_OPCOUNT_INSTALL "The service was about to end for want of work while an installation ran.",
        "Work came in the moment it was ending.", RETRY;
    0x8024_0053 WU_E_IDLESHUTDOWN_OPCOUNT_OTHER "The service was about to end for want of work while something ran.",
        "Work came in the moment it was ending.", RETRY;
    0x8024_0054 WU_E_INTERACTIVE_CALL_CANCELLED "A user called off what a user had asked for.",
        "Somebody pressed cancel.", NONE;
    0x8024_0055 WU_E_AU_CALL_CANCELLED "Automatic Updates called the operation off.",
        "A user's request, a restart or the end of the window came between.", RETRY;
    0x8024_0056 WU_E_SYSTEM_UNSUPPORTED "The system is not supported.",
        "The processor or the edition is not one for which Windows updates are offered.",
        "Bring the computer to a version of Windows that is serviced.";
    0x8024_0FFF WU_E_UNEXPECTED "The agent failed for a reason that has no code of its own.",
        "Anything: the code is what is left over.", AGENT_LOG;
};

const CBS_HINT: &str = "Look in CBS.log on the computer for what keeps it from being removed.";

//! Parts of the agent: Windows Installer in scans, update handlers, user interface, downloads, offline scans.

use super::{
    ErrorCode,
    advice::{AGENT_LOG, CBS_LOG, NETWORK, NONE, REDETECT, REPORT, RESET_STORE, RESTART, RETRY},
    codes,
};

pub(super) const CODES: &[ErrorCode] = codes! { Agent;
    0x0024_2015 WU_S_UH_INSTALLSTILLPENDING "The installation goes on.",
        "It ends after the restart, or in the background.", NONE;
    0x8024_1001 WU_E_MSI_WRONG_VERSION "Updates may be missing: Windows Installer is older than 3.1.",
        "A very old system.", "Install a newer Windows Installer.";
    0x8024_1002 WU_E_MSI_NOT_CONFIGURED "Updates may be missing: Windows Installer is not set up.",
        "The service msiserver is disabled or damaged.", "Set msiserver to manual; register it again (msiexec /unregister, msiexec /regserver).";
    0x8024_1003 WU_E_MSP_DISABLED "Updates may be missing: a policy switches patches of Windows Installer off.",
        "The policy DisablePatch is set.", "Take the policy back.";
    0x8024_1004 WU_E_MSI_WRONG_APP_CONTEXT "The update does not fit: the application is installed for one user only.",
        "The application is not installed for the whole computer.", "Install it for all users, or let the user update it.";
    0x8024_1FFF WU_E_MSP_UNEXPECTED "Updates may be missing: Windows Installer failed.",
        "The installer's data of some product is damaged; the agent's log names the product.", AGENT_LOG;
    0x8024_2000 WU_E_UH_REMOTEUNAVAILABLE "The process that should install is not there.",
        "It ended or was killed; often security software does that.", RETRY;
    0x8024_2001 WU_E_UH_LOCALONLY "This handler works in the agent's own process only.",
        "A program asked for it in another.", REPORT;
    0x8024_2002 WU_E_UH_UNKNOWNHANDLER "The agent has no handler for this kind of update.",
        "The update needs a newer agent or a newer Windows.", "Install the newest servicing stack and agent, or decline the update for such computers.";
    0x8024_2003 WU_E_UH_REMOTEALREADYACTIVE "The process that installs is active already.",
        "Two installations at once.", RETRY;
    0x8024_2004 WU_E_UH_DOESNOTSUPPORTACTION "The update cannot be installed or removed in this way.",
        "An uninstallation of an update that has none.", "Remove it with the tool of its product.";
    0x8024_2005 WU_E_UH_WRONGHANDLER "The wrong handler was named.",
        "The metadata does not fit the content.", REPORT;
    0x8024_2006 WU_E_UH_INVALIDMETADATA "The handler finds the metadata of the update not valid.",
        "The agent's store is damaged, or the document was published wrong.", RESET_STORE;
    0x8024_2007 WU_E_UH_INSTALLERHUNG "The installer did not end within its time.",
        "It waits for input, for a file in use, or is slow; the maximum run time of the update was passed.",
        "Raise the maximum run time (weir updates set ID --run-time), and look what the installer waits for.";
    0x8024_2008 WU_E_UH_OPERATIONCANCELLED "The installation was called off.",
        "A user, a shutdown or another program stopped it.", RETRY;
    0x8024_2009 WU_E_UH_BADHANDLERXML "The part of the metadata that is meant for the installer is not valid.",
        "The document was published wrong.", REPORT;
    0x8024_200A WU_E_UH_CANREQUIREINPUT "The update may ask something and cannot be installed unattended.",
        "The installer has no silent way.", "Install it while somebody is signed in.";
    0x8024_200B WU_E_UH_INSTALLERFAILURE "The installer of the update reported a failure.",
        "The installer's own exit code is in the agent's log and in its setup log.", AGENT_LOG;
    0x8024_200C WU_E_UH_FALLBACKTOSELFCONTAINED "The full files are needed in place of the delta.",
        "The computer does not have what the delta starts from.", RETRY;
    0x8024_200D WU_E_UH_NEEDANOTHERDOWNLOAD "The update has to be downloaded again.",
        "Files were missing or damaged in the agent's folder when it was to be installed.", RETRY;
    0x8024_200E WU_E_UH_NOTIFYFAILURE "The state of the installation could not be passed on.",
        "The program that asked for it is gone.", NONE;
    0x8024_200F WU_E_UH_INCONSISTENT_FILE_NAMES "File names in metadata and package differ.",
        "The update was published with another file than its metadata says.", "Publish it again.";
    0x8024_2010 WU_E_UH_FALLBACKERROR "Falling back to the full files failed.",
        "They are not at the server, or the download broke.", "Check the content of the update (weir content status).";
    0x8024_2011 WU_E_UH_TOOMANYDOWNLOADREQUESTS "The handler asked for downloads too often.",
        "Delta content that does not fit, time and again.", RESET_STORE;
    0x8024_2012 WU_E_UH_UNEXPECTEDCBSRESPONSE "The servicing stack answered something unexpected.",
        "The servicing stack is old or damaged.", CBS_LOG;
    0x8024_2013 WU_E_UH_BADCBSPACKAGEID "The name of the package in the metadata is not valid.",
        "The document was published wrong.", REPORT;
    0x8024_2014 WU_E_UH_POSTREBOOTSTILLPENDING "What has to happen after the restart has not ended yet.",
        "The computer is still completing the installation.", RETRY;
    0x8024_2015 WU_E_UH_POSTREBOOTRESULTUNKNOWN "What happened after the restart is not known.",
        "The record of it is missing.", REDETECT;
    0x8024_2016 WU_E_UH_POSTREBOOTUNEXPECTEDSTATE "After the restart the update is in a state that was not expected.",
        "The installation was rolled back during the restart, often by a file in use or too little space.", CBS_LOG;
    0x8024_2017 WU_E_UH_NEW_SERVICING_STACK_REQUIRED "A newer servicing stack has to be installed first.",
        "The servicing stack update that comes before this update is not deployed.",
        "Deploy the newest servicing stack update for that build.";
    0x8024_2018 WU_E_UH_CALLED_BACK_FAILURE "A callback of the handler failed.",
        "The program that asked for the installation answered with an error.", AGENT_LOG;
    0x8024_2019 WU_E_UH_CUSTOMINSTALLER_INVALID_SIGNATURE "The installer's signature does not fit the one that is demanded.",
        "The file was changed, or signed by somebody else.", "Publish the update again with the right file and certificate.";
    0x8024_201A WU_E_UH_UNSUPPORTED_INSTALLCONTEXT "The handler cannot install in this context.",
        "A per-user installation was asked of a per-machine update, or the other way round.", REPORT;
    0x8024_201B WU_E_UH_INVALID_TARGETSESSION "The session of the user is not valid.",
        "The user signed out meanwhile.", RETRY;
    0x8024_2FFF WU_E_UH_UNEXPECTED "The handler failed for a reason that has no code of its own.",
        "Anything: the code is what is left over.", AGENT_LOG;
    0x8024_3001 WU_E_INSTALLATION_RESULTS_UNKNOWN_VERSION "Stored results have a version that the agent does not know.",
        "The agent was replaced by an older one.", RESET_STORE;
    0x8024_3002 WU_E_INSTALLATION_RESULTS_INVALID_DATA "Stored results cannot be read.",
        "The registry values are damaged.", RESET_STORE;
    0x8024_3003 WU_E_INSTALLATION_RESULTS_NOT_FOUND "There are no results.",
        "The operation did not even begin.", RETRY;
    0x8024_3004 WU_E_TRAYICON_FAILURE "No icon could be shown in the notification area.",
        "The shell of the user was not ready.", NONE;
    0x8024_3FFD WU_E_NON_UI_MODE "Nothing can be shown here.",
        "A build without user interface.", NONE;
    0x8024_3FFE WU_E_WUCLTUI_UNSUPPORTED_VERSION "The library of the user interface has another version.",
        "Files of different agent versions.", "Run sfc /scannow on the computer.";
    0x8024_3FFF WU_E_AUCLIENT_UNEXPECTED "The user interface failed for a reason that has no code of its own.",
        "Anything: the code is what is left over.", AGENT_LOG;
    0x8024_6001 WU_E_DM_URLNOTAVAILABLE "A file has no address.",
        "The server told no place for the file: content is not here yet, or the deployment changed.",
        "Check the content of the update (weir content status); scan again.";
    0x8024_6002 WU_E_DM_INCORRECTFILEHASH "A downloaded file does not have the digest that the metadata gives.",
        "The file was changed or cut on its way, by a proxy or cache, or is wrong at a content location that another server serves.",
        "Verify content at the server (weir content verify), empty caches in between; then let the agent download anew.";
    0x8024_6003 WU_E_DM_UNKNOWNALGORITHM "The metadata names a kind of digest that the agent does not know.",
        "The agent is too old.", "Bring the agent up to date.";
    0x8024_6004 WU_E_DM_NEEDDOWNLOADREQUEST "The handler has to ask for the download.",
        "A step was left out.", RETRY;
    0x8024_6005 WU_E_DM_NONETWORK "There was no network for the download.",
        "The computer went offline.", NETWORK;
    0x8024_6006 WU_E_DM_WRONGBITSVERSION "The version of BITS does not fit.",
        "A very old or a damaged BITS.", "Run sfc /scannow on the computer.";
    0x8024_6007 WU_E_DM_NOTDOWNLOADED "The update is not downloaded.",
        "Its files were removed between download and installation, or the download failed.", RETRY;
    0x8024_6008 WU_E_DM_FAILTOCONNECTTOBITS "BITS could not be reached.",
        "The service BITS is disabled or does not start.", "Set the service BITS to manual and start it; look at its errors in the System event log.";
    0x8024_6009 WU_E_DM_BITSTRANSFERERROR "BITS broke the transfer off.",
        "The reason is in BITS itself: an address that cannot be reached, a proxy, a server without range requests.",
        "bitsadmin /list /allusers /verbose on the computer shows the error of the job.";
    0x8024_600A WU_E_DM_DOWNLOADLOCATIONCHANGED "The place of the file has changed: the download begins anew.",
        "Content address or server changed.", RETRY;
    0x8024_600B WU_E_DM_CONTENTCHANGED "The file was replaced by a newer revision: the download begins anew.",
        "A newer revision of the update arrived.", RETRY;
    0x8024_600C WU_E_DM_DOWNLOADLIMITEDBYUPDATESIZE "The update is larger than what may be downloaded now.",
        "A limit for metered networks.", "Let the computer use a network that is not metered.";
    0x8024_600E WU_E_DM_UNAUTHORIZED "The download is not allowed to this computer.",
        "The content server wants credentials.", "Check the content address and what stands in front of it.";
    0x8024_600F WU_E_DM_BG_ERROR_TOKEN_REQUIRED "The transfer needs the token of a user.",
        "Nobody is signed in.", RETRY;
    0x8024_6010 WU_E_DM_DOWNLOADSANDBOXNOTFOUND "The folder of the download is missing.",
        "Somebody emptied the agent's folders.", RETRY;
    0x8024_6011 WU_E_DM_DOWNLOADFILEPATHUNKNOWN "The path of a downloaded file is not known.",
        "The agent's store and its folders do not agree.", RESET_STORE;
    0x8024_6012 WU_E_DM_DOWNLOADFILEMISSING "A downloaded file is missing.",
        "Somebody, often security software, removed it.", RETRY;
    0x8024_6013 WU_E_DM_UPDATEREMOVED "The update was removed while it was downloaded.",
        "It was declined, expired or superseded.", NONE;
    0x8024_6FFF WU_E_DM_UNEXPECTED "The download manager failed for a reason that has no code of its own.",
        "Anything: the code is what is left over.", AGENT_LOG;
    0x8024_7001 WU_E_OL_INVALID_SCANFILE "The package for the offline scan is not valid.",
        "wsusscn2.cab is cut, or its signature cannot be checked.", "Fetch the file again and compare its size.";
    0x8024_7002 WU_E_OL_NEWCLIENT_REQUIRED "The package for the offline scan needs a newer agent.",
        "The agent is too old.", "Bring the agent up to date.";
    0x8024_7FFF WU_E_OL_UNEXPECTED "The offline scan failed for a reason that has no code of its own.",
        "Anything: the code is what is left over.", AGENT_LOG;
    0x8024_C001 WU_E_DRV_PRUNED "A device was left out.",
        "It belongs to a printer whose driver is installed.", NONE;
    0x8024_C002 WU_E_DRV_NOPROP_OR_LEGACY "A property of a driver could not be read.",
        "An old driver that does not follow today's rules.", NONE;
    0x8024_C003 WU_E_DRV_REG_MISMATCH "A registry value of a driver has the wrong type.",
        "A driver that was installed wrong.", "Install the driver of the device again.";
    0x8024_C004 WU_E_DRV_NO_METADATA "The driver update has no metadata.",
        "The document is incomplete.", RESET_STORE;
    0x8024_C005 WU_E_DRV_MISSING_ATTRIBUTE "An attribute that a driver update needs is missing.",
        "The document is incomplete.", RESET_STORE;
    0x8024_C006 WU_E_DRV_SYNC_FAILED "Drivers could not be matched.",
        "Looking at the devices of the computer failed.", AGENT_LOG;
    0x8024_C007 WU_E_DRV_NO_PRINTER_CONTENT "What is needed to match printers is missing.",
        "The printer information of the server is not there.", NONE;
    0x8024_C008 WU_E_DRV_DEVICE_PROBLEM "The device has a problem and is left out.",
        "The device manager marks the device.", "Look at the device in the device manager.";
    0x8024_CFFF WU_E_DRV_UNEXPECTED "Drivers failed for a reason that has no code of its own.",
        "Anything: the code is what is left over.", AGENT_LOG;
    0x8024_E001 WU_E_EE_UNKNOWN_EXPRESSION "A rule of an update has a kind that the agent does not know.",
        "The agent is too old for the update, or the document was published wrong.", "Bring the agent up to date.";
    0x8024_E002 WU_E_EE_INVALID_EXPRESSION "A rule of an update is not valid.",
        "The document was published wrong.", "Find the update by its id in the agent's log and decline it.";
    0x8024_E003 WU_E_EE_MISSING_METADATA "A rule has too few or too many parts.",
        "The document was published wrong.", "Find the update by its id in the agent's log and decline it.";
    0x8024_E004 WU_E_EE_INVALID_VERSION "Stored rules have another version.",
        "The agent was replaced by an older one.", RESET_STORE;
    0x8024_E005 WU_E_EE_NOT_INITIALIZED "Rules cannot be evaluated: the evaluator did not start.",
        "A part of the agent or of WMI failed.", RESTART;
    0x8024_E006 WU_E_EE_INVALID_ATTRIBUTEDATA "An attribute of a rule is not valid.",
        "The document was published wrong.", "Find the update by its id in the agent's log and decline it.";
    0x8024_E007 WU_E_EE_CLUSTER_ERROR "The cluster state of the computer could not be read.",
        "The cluster service does not answer.", "Check the cluster service of the computer.";
    0x8024_EFFF WU_E_EE_UNEXPECTED "The evaluator failed for a reason that has no code of its own.",
        "Anything: the code is what is left over.", AGENT_LOG;
    0x8024_F001 WU_E_REPORTER_EVENTCACHECORRUPT "The file of events that wait to be reported is damaged.",
        "The computer was switched off while it was written.", RESET_STORE;
    0x8024_F002 WU_E_REPORTER_EVENTNAMESPACEPARSEFAILED "The description of events cannot be read.",
        "Files of the agent are damaged.", "Run sfc /scannow on the computer.";
    0x8024_F003 WU_E_INVALID_EVENT "An event is not valid.",
        "A program handed the agent a wrong event.", AGENT_LOG;
    0x8024_F004 WU_E_SERVER_BUSY "The server was too busy to take events.",
        "Very many computers reported at once; events are kept and sent again.", RETRY;
    0x8024_F005 WU_E_CALLBACK_COOKIE_NOT_FOUND "A callback is not known any more.",
        "The program that asked for it ended.", NONE;
    0x8024_FFFF WU_E_REPORTER_UNEXPECTED "Reporting failed for a reason that has no code of its own.",
        "Anything: the code is what is left over.", AGENT_LOG;
};

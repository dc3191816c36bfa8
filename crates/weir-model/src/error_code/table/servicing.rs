//! Component-based servicing and device installation: facility 0x00F.

use super::{
    ErrorCode,
    advice::{CBS_LOG, FREE_SPACE, NETWORK, NONE, REDETECT, REPAIR_STORE, RESTART, RETRY},
    codes,
};

pub(super) const CODES: &[ErrorCode] = codes! { Servicing;
    0x800F_0203 SPAPI_E_NO_DRIVER_SELECTED "No driver is chosen for the device.",
        "The driver does not fit the device, or its files are missing.", DRIVER;
    0x800F_020B SPAPI_E_NO_SUCH_DEVINST "The device that the driver is for is not there any more.",
        "A printer or other device that was unplugged or removed.", "Connect the device, or decline the driver for such computers.";
    0x800F_0217 SPAPI_E_BAD_SERVICE_INSTALLSECT "The part of the driver that installs its service is not valid.",
        "A driver that was made wrong.", DRIVER;
    0x800F_0219 SPAPI_E_NO_ASSOCIATED_SERVICE "The driver names no service for the device.",
        "A driver that was made wrong.", DRIVER;
    0x800F_022F SPAPI_E_NO_CATALOG_FOR_OEM_INF "The driver has no catalogue that proves where it is from.",
        "An unsigned driver.", "Use a signed driver.";
    0x800F_0242 SPAPI_E_AUTHENTICODE_TRUST_NOT_ESTABLISHED "The publisher of the driver is neither trusted nor distrusted.",
        "Its certificate is not among the trusted publishers.", "Distribute the publisher's certificate by group policy.";
    0x800F_0243 SPAPI_E_AUTHENTICODE_PUBLISHER_NOT_TRUSTED "The publisher of the driver is not trusted.",
        "Its certificate is not among the trusted publishers.", "Distribute the publisher's certificate by group policy.";
    0x800F_0244 SPAPI_E_SIGNATURE_OSATTRIBUTE_MISMATCH "The signature of the driver is for other versions of Windows.",
        "A driver for another system.", DRIVER;
    0x800F_0247 SPAPI_E_DRIVER_STORE_ADD_FAILED "The driver could not be added to the driver store.",
        "Files of the driver are missing, or the store is damaged.",
        "Read C:\\Windows\\INF\\setupapi.dev.log on the computer: it names the file.";
    0x800F_0248 SPAPI_E_DEVICE_INSTALL_BLOCKED "A policy forbids installing this device.",
        "Device installation restrictions.", "Nothing, if that is meant; else change the policy, or decline the driver.";
    0x800F_0249 SPAPI_E_DRIVER_INSTALL_BLOCKED "A policy forbids installing this driver.",
        "Device installation restrictions.", "Nothing, if that is meant; else change the policy, or decline the driver.";
    0x800F_0800 CBS_E_INTERNAL_ERROR "The servicing stack failed for a reason inside itself.",
        "Anything; the log says more.", CBS_LOG;
    0x800F_0801 CBS_E_NOT_INITIALIZED "The servicing session was not begun.",
        "The servicing stack did not start.", RESTART;
    0x800F_0802 CBS_E_ALREADY_INITIALIZED "The servicing session was begun twice.",
        "A mistake of the program that installs.", RETRY;
    0x800F_0803 CBS_E_INVALID_PARAMETER "A parameter of the servicing stack is not valid.",
        "A mistake of the program that installs.", CBS_LOG;
    0x800F_0804 CBS_E_OPEN_FAILED "The image or package could not be opened.",
        "Files are missing or not accessible.", CBS_LOG;
    0x800F_0805 CBS_E_INVALID_PACKAGE "The package is not valid, or not one for this system.",
        "Another architecture or product, or a damaged file.", "Check that the update is for this build and architecture.";
    0x800F_0806 CBS_E_PENDING "Operations are pending: a restart is due.",
        "An earlier installation waits for its restart.", RESTART;
    0x800F_0807 CBS_E_NOT_INSTALLABLE "The package cannot be installed by itself.",
        "It is a part of another package.", CBS_LOG;
    0x800F_0808 CBS_E_IMAGE_NOT_ACCESSIBLE "The image that is serviced cannot be reached.",
        "Its disk is gone or locked.", CBS_LOG;
    0x800F_0809 CBS_E_ARRAY_ELEMENT_MISSING "An entry that has to be there is missing.",
        "A damaged package or store.", REPAIR_STORE;
    0x800F_080A CBS_E_REESTABLISH_SESSION "The servicing session has to begin anew.",
        "The servicing stack was replaced meanwhile.", RETRY;
    0x800F_080B CBS_E_PROPERTY_NOT_AVAILABLE "A property of the package is not there.",
        "A package that says less than is asked.", NONE;
    0x800F_080C CBS_E_UNKNOWN_UPDATE "The package has no feature or update of that name.",
        "A feature name that is wrong for this version of Windows.", "List names with DISM /Online /Get-Features.";
    0x800F_080D CBS_E_MANIFEST_INVALID_ITEM "The manifest has an entry that is not valid.",
        "A damaged package.", REPAIR_STORE;
    0x800F_0813 CBS_E_INVALID_INSTALL_STATE "The package is in a state from which this is not possible.",
        "An earlier installation that did not end.", RESTART;
    0x800F_0816 CBS_E_DPX_JOB_STATE_SAVED "Unpacking stopped half-way and goes on later.",
        "It was interrupted.", RETRY;
    0x800F_0817 CBS_E_PACKAGE_DELETED "The package is gone.",
        "It was removed while it was installed.", REDETECT;
    0x800F_0818 CBS_E_IDENTITY_MISMATCH "The package is another one than its name says.",
        "A damaged file or store.", REPAIR_STORE;
    0x800F_081C CBS_E_EXCESSIVE_EVALUATION "Applicability was evaluated too often.",
        "Packages whose conditions depend on each other.", CBS_LOG;
    0x800F_081D CBS_E_CYCLE_EVALUATION "Conditions of packages go round in a circle.",
        "Packages whose conditions depend on each other.", CBS_LOG;
    0x800F_081E CBS_E_NOT_APPLICABLE "The package does not apply to this system.",
        "Another build, edition or language, or a package that has to come first is missing.",
        "Check that the update is for this build, and that the servicing stack update is installed.";
    0x800F_081F CBS_E_SOURCE_MISSING "Files that are needed are missing, and no source for them was found.",
        "Files of the component store are gone; or a feature without its source, such as .NET Framework 3.5.",
        "Repair the component store (DISM /Online /Cleanup-Image /RestoreHealth /Source:SOURCE); for features name a source of the same build.";
    0x800F_0820 CBS_E_CANCEL "The servicing stack was told to stop.",
        "Somebody or something cancelled.", RETRY;
    0x800F_0821 CBS_E_ABORT "The servicing stack was stopped because it did not go on.",
        "A watchdog ended it: a very slow or overloaded computer, or a step that hangs.", "Restart the computer and install again; give virtual machines more processors or disk speed.";
    0x800F_0822 CBS_E_ILLEGAL_COMPONENT_UPDATE "A component would be changed that must not be.",
        "Packages that contradict each other.", CBS_LOG;
    0x800F_0823 CBS_E_NEW_SERVICING_STACK_REQUIRED "A newer servicing stack has to be installed first.",
        "The servicing stack update is not deployed.", "Deploy the newest servicing stack update for that build.";
    0x800F_0824 CBS_E_SOURCE_NOT_IN_LIST "The source is not one of those that are allowed.",
        "A policy names other sources.", "Check the policy for optional component installation and repair.";
    0x800F_0825 CBS_E_CANNOT_UNINSTALL "The package cannot be removed.",
        "It is permanent, or others need it.", "Leave it, or remove first what needs it.";
    0x800F_0826 CBS_E_PENDING_VICTIM "Another package that is pending keeps this one from being installed.",
        "An earlier installation waits for its restart.", RESTART;
    0x800F_0827 CBS_E_STACK_SHUTDOWN_REQUIRED "The servicing stack has to end and begin anew.",
        "It was replaced meanwhile.", RESTART;
    0x800F_0828 CBS_E_INSUFFICIENT_DISK_SPACE "There is too little space for servicing.",
        "The system drive is full.", FREE_SPACE;
    0x800F_0829 CBS_E_AC_POWER_REQUIRED "Mains power is needed.",
        "A portable computer on battery.", "Nothing: it goes on once the computer is on mains power.";
    0x800F_082A CBS_E_STACK_UPDATE_FAILED_REBOOT_REQUIRED "The servicing stack could not be replaced; a restart is needed.",
        "Its files are in use.", RESTART;
    0x800F_082C CBS_E_DEPENDENT_FAILURE "Something failed that this depends on.",
        "Another package of the same installation.", CBS_LOG;
    0x800F_082E CBS_E_NOT_ALLOWED_OFFLINE "The package cannot be added to an image that is not running.",
        "Offline servicing.", "Install it on the running system.";
    0x800F_082F CBS_E_EXCLUSIVE_WOULD_MERGE "A package that must be installed alone would be installed with others.",
        "Another installation is pending.", RESTART;
    0x800F_0830 CBS_E_IMAGE_UNSERVICEABLE "The image cannot be serviced any more.",
        "An earlier servicing step broke off and left it half-way.", "Do an in-place upgrade, or install the computer anew.";
    0x800F_0831 CBS_E_STORE_CORRUPTION "The component store is damaged: a package's manifest or registration is missing.",
        "An earlier update is incomplete; CBS.log names it after \"manifest missing\".",
        "Install the update that CBS.log names again, or repair the store with a source that has it, then install again.";
    0x800F_0832 CBS_E_STORE_TOO_MUCH_CORRUPTION "The component store is damaged too much to be repaired.",
        "Damage in very many components.", "Do an in-place upgrade, or install the computer anew.";
    0x800F_0840 CBS_E_SESSION_CORRUPT "The stored session of servicing is damaged.",
        "The computer was switched off in the middle of it.", RESTART;
    0x800F_0841 CBS_E_SESSION_INTERRUPTED "The session of servicing was interrupted.",
        "The computer was switched off in the middle of it.", RESTART;
    0x800F_0843 CBS_E_SESSION_READONLY "The session of servicing may not change anything.",
        "A program that only reads wanted to install.", CBS_LOG;
    0x800F_0900 CBS_E_XML_PARSER_FAILURE "A manifest could not be read.",
        "A damaged file in the component store.", REPAIR_STORE;
    0x800F_0902 CBS_E_BUSY "The servicing stack is busy.",
        "Another installation runs.", RETRY;
    0x800F_0906 CBS_E_DOWNLOAD_FAILURE "Files for a feature could not be fetched.",
        "A feature such as .NET Framework 3.5 on a computer that may not, or cannot, reach Windows Update.",
        "Name a source of the same build (policy for optional component installation and repair).";
    0x800F_0907 CBS_E_GROUPPOLICY_DISALLOWED "A policy forbids fetching the files of a feature.",
        "The policy for optional component installation and repair.", "Name a source in that policy, or allow Windows Update for it.";
    0x800F_0908 CBS_E_METERED_NETWORK "Nothing is fetched over a metered network.",
        "A metered connection.", "Let the computer use a network that is not metered.";
    0x800F_090B CBS_E_REPAIR_PACKAGE_CORRUPT "The package for the repair is damaged itself.",
        "The source is incomplete.", "Use another source of the same build.";
    0x800F_090F CBS_E_WINDOWS_UPDATE_SEARCH_FAILURE "Looking for missing files at Windows Update failed.",
        "The computer does not reach it.", NETWORK;
    0x800F_0910 CBS_E_WINDOWS_AUTOMATIC_UPDATE_SETTING_DISALLOWED "The setting of Automatic Updates forbids fetching missing files.",
        "Automatic Updates is switched off by policy.", "Name a local source for the repair.";
    0x800F_0920 CBS_E_HANG_DETECTED "Servicing did not go on for too long and was ended.",
        "A very slow disk, or an installer step that hangs.", "Restart the computer and install again; CBS.log names the step.";
    0x800F_0921 CBS_E_PRIMITIVES_FAILED "Basic steps of servicing failed.",
        "Files or registry keys could not be written.", CBS_LOG;
    0x800F_0922 CBS_E_INSTALLERS_FAILED "An advanced installer of a component failed, and everything was rolled back.",
        "Mostly the boot files: the system-reserved or EFI partition is full or cannot be written. Also firewall, print or .NET steps.",
        "Free at least 15 MB on the EFI or system-reserved partition; CBS.log names the installer that failed.";
    0x800F_0923 CBS_E_SAFEMODE_ENTERED "Windows started in safe mode while servicing was pending.",
        "Somebody started it so, or it did not start otherwise.", "Start Windows normally: servicing goes on.";
    0x800F_0940 CBS_E_WUSUS_MAPPING_UNAVAILABLE "The managed server has no mapping for the missing files.",
        "Missing files of a feature were looked for at the managed server.", FEATURES;
    0x800F_0941 CBS_E_WU_MAPPING_UNAVAILABLE "Windows Update has no mapping for the missing files.",
        "Missing files of a feature or language.", FEATURES;
    0x800F_0946 CBS_E_SOURCE_MISSING_FROM_WUSUS_CAB "The managed server's package does not have the missing files.",
        "The content at the server is not the full package.", FEATURES;
    0x800F_0950 CBS_E_INVALID_WINDOWS_UPDATE_COUNT "Windows Update offered none, or too many, for what is asked.",
        "A language or feature that is not offered for this build.", FEATURES;
    0x800F_0954 CBS_E_INVALID_WINDOWS_UPDATE_COUNT_WSUS "The managed server offered none, or too many, for the feature that is asked for.",
        "Features on demand and languages are looked for at the managed server, which does not have them.", FEATURES;
    0x800F_0955 CBS_E_INVALID_PACKAGE_REQUEST_ON_MULTILINGUAL_FOD "The feature is asked for in a wrong way.",
        "Several languages of a feature at once.", FEATURES;
    0x800F_0981 PSFX_E_REVERSE_AND_FORWARD_DELTAS_MISSING "Neither of the two deltas of a file is there.",
        "The component store lacks what cumulative updates are built on.", REPAIR_STORE;
    0x800F_0982 PSFX_E_MATCHING_COMPONENT_NOT_FOUND "No component was found to which the delta could be applied.",
        "A component of an earlier update or language is missing.", REPAIR_STORE;
    0x800F_0983 PSFX_E_MATCHING_COMPONENT_DIRECTORY_MISSING "The folder of the component to which the delta belongs is missing.",
        "Somebody cleaned up in WinSxS, or the store is damaged.", REPAIR_STORE;
    0x800F_0984 PSFX_E_MATCHING_BINARY_MISSING "A file from which the delta starts is missing.",
        "The component store is incomplete.", REPAIR_STORE;
    0x800F_0985 PSFX_E_APPLY_REVERSE_DELTA_FAILED "The delta back to the first version of a file could not be applied.",
        "The file was changed or is damaged.", REPAIR_STORE;
    0x800F_0986 PSFX_E_APPLY_FORWARD_DELTA_FAILED "The delta to the new version of a file could not be applied.",
        "The file was changed or is damaged.", REPAIR_STORE;
    0x800F_0987 PSFX_E_NULL_DELTA_HYDRATION_FAILED "A file could not be made from a delta that has no start.",
        "Damaged content of the update.", REPAIR_STORE;
    0x800F_0988 PSFX_E_INVALID_DELTA_COMBINATION "The deltas do not fit each other.",
        "The component store is damaged, or the servicing stack is too old.",
        "Install the newest servicing stack update first; then repair the component store.";
    0x800F_0989 PSFX_E_REVERSE_DELTA_MISSING "The delta back to the first version of a file is missing.",
        "The component store is incomplete.", REPAIR_STORE;
};

const DRIVER: &str = "Decline the driver for such computers, or get the one that fits from the maker.";
const FEATURES: &str = "Let computers fetch features and languages from Windows Update (policy for optional component installation and \
     repair), or name a source that has them.";

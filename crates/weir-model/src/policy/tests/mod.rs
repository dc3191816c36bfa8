mod checks;
mod files;
mod rendering;

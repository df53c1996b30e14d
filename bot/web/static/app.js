// Optional comforts; every page works without them.
"use strict";
const errors = document.querySelector("[data-focus]");
if (errors) errors.focus();

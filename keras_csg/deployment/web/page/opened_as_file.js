// A script of the old kind: those of the new kind do not run from a file.
if (location.protocol === "file:") {
  document.documentElement.classList.add("opened-as-file");
  document.getElementById("file-hint").hidden = false;
  document.getElementById("loading").hidden = true;
}

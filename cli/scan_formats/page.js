(function () {
  "use strict";
  var form = document.getElementById("filter"), shown = document.getElementById("shown");
  if (!form) return;
  var all = Array.prototype.slice.call(document.querySelectorAll("article"));
  var texts = all.map(function (a) { return a.textContent.toLowerCase(); });
  function chosen(name) {
    return Array.prototype.filter.call(form.elements, function (e) { return e.name === name && e.checked; })
      .map(function (e) { return e.value; });
  }
  function apply() {
    var words = form.elements.q.value.toLowerCase().split(/\s+/), severities = chosen("s");
    var rule = form.elements.r.value, provider = form.elements.p.value, confidence = form.elements.c.value, count = 0;
    all.forEach(function (a, i) {
      var fits = severities.indexOf(a.dataset.s) >= 0 && (!rule || a.dataset.r === rule) &&
        (!provider || a.dataset.p === provider) && (!confidence || a.dataset.c === confidence) &&
        words.every(function (w) { return texts[i].indexOf(w) >= 0; });
      a.hidden = !fits;
      count += fits ? 1 : 0;
    });
    shown.textContent = count + " / " + all.length;
  }
  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("change", apply);
  form.addEventListener("submit", function (e) { e.preventDefault(); });
  apply();
})();

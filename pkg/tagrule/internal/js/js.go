// Package js emulates what JavaScript and its libraries do with a tag rule's text: Handlebars templates (ParseTemplate),
// moment.js date formats (ParseDateFormat), RegExp (CompileRegExp), Number (ParseNumber) and String.prototype.trim (Trim).
//
// docker/metadata-action v6 evaluates tag rules with these libraries, and people's rules depend on what they do, oddities
// included. Where this package accepts a text, it gives what the original gives; what a tag rule has no use for (blocks,
// partials, classes under flag v) it refuses with an error. It knows nothing of rules, events and versions.
package js

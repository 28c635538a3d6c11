"""Links names in code, as `keras_csg.build`, to the reference."""

import re

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.nodes import make_refnode

NAME = re.compile(r"(keras_csg(?:\.\w+)+)(?:\(.*\))?$", re.DOTALL)
COMMAND = re.compile(r"keras-csg ([a-z]+)\b")


class KnownNames(SphinxPostTransform):
    """Makes a link of each name or command that stands alone as code."""

    default_priority = 20

    def run(self, **kwargs):
        """Goes over one page."""
        for literal in list(self.document.findall(nodes.literal)):
            if isinstance(literal.parent, nodes.reference):
                continue
            target = self._name(literal) or self._command(literal)
            if target is not None:
                page, anchor = target
                link = make_refnode(
                    self.app.builder,
                    self.env.current_document.docname,
                    page,
                    anchor,
                    literal.deepcopy(),
                )
                literal.replace_self(link)

    def _name(self, literal):
        found = NAME.fullmatch(literal.astext())
        objects = self.env.domains["py"].objects
        if found is None or found[1] not in objects:
            return None
        entry = objects[found[1]]
        return entry.docname, entry.node_id

    def _command(self, literal):
        found = COMMAND.match(literal.astext())
        page = f"commands/{found[1]}" if found else None
        return (page, "") if page in self.env.found_docs else None


def setup(app):
    """Adds it to a build."""
    app.add_post_transform(KnownNames)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

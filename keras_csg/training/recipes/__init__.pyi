from .files import Recipe as Recipe
from .files import list_recipes as list_recipes
from .files import read_recipe as read_recipe
from .filling import fill_in as fill_in
from .filling import with_recipe as with_recipe

using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>A recipe whose models are found.</summary>
/// <param name="Recipe">The recipe, each trajectory expanded to its checkpoints.</param>
/// <param name="Modules">At least one; without a name where the recipe names no modules.</param>
internal sealed record ResolvedRecipe(Recipe Recipe, IReadOnlyList<ResolvedModule> Modules, ResolvedModel? Base)
{
    /// <summary>Every model that is listed, in the order of the recipe, as often as it stands there.</summary>
    public IEnumerable<ResolvedModel> Models => Slices.SelectMany(s => s.Sources);

    public IEnumerable<ResolvedSlice> Slices => Modules.SelectMany(m => m.Slices);

    /// <summary>Finds all models.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="places">Where models are looked for.</param>
    /// <param name="onlyNamesBase">Whether models of this kind need no base: then one that is nowhere has an empty path.</param>
    /// <exception cref="MergeException">Every model that is not found.</exception>
    public static ResolvedRecipe Of(
        Recipe recipe, ModelPlaces places, Func<IReadOnlyList<ResolvedModel>, bool>? onlyNamesBase = null)
    {
        var findings = new RecipeFindings(recipe.Path);
        var baseModel = recipe.BaseModel is { } named && onlyNamesBase is not null && recipe.Models.Count > 0
            ? Named(named, onlyNamesBase) : Reference(recipe.BaseModel);
        ResolvedModule[] modules = recipe.Modules.Count > 0
            ? [.. recipe.Modules.Select(m => Module(m.Name, m.Line, m.Models, m.Slices, m.Parameters))]
            : [Module(null, recipe.MethodLine, recipe.Models, recipe.Slices, RecipeParameters.None)];
        findings.ThrowIfAny();
        // The sections of parameters are known by reference: a trajectory's checkpoints share theirs.
        var expanded = recipe.Models.Count == 0 ? recipe
            : recipe with { Models = [.. modules[0].Slices[0].Sources.Select(m => m.Model)] };
        return new(expanded, modules, baseModel);

        ResolvedModule Module(string? name, int line, IReadOnlyList<RecipeModel> models, IReadOnlyList<RecipeSlice> slices,
            RecipeParameters parameters) => new(name, line, parameters, models.Count > 0
                ? [new(line, Sources(models), baseModel, RecipeParameters.None)]
                : [.. slices.Select(s => new ResolvedSlice(s.Line, Sources(s.Sources),
                    s.BaseModel is null ? baseModel : Reference(s.BaseModel), s.Parameters))]);

        IReadOnlyList<ResolvedModel> Sources(IReadOnlyList<RecipeModel> models)
        {
            var found = new List<ResolvedModel>();
            foreach (var model in models)
                Collect(findings, model.Model.Line, () => found.AddRange(Resolve(model, places, recipe.Path)));
            return found;
        }

        ResolvedModel? Named(ModelReference reference, Func<IReadOnlyList<ResolvedModel>, bool> onlyNames)
        {
            RecipeModel model = new(reference, RecipeParameters.None);
            try
            {
                return ResolvedModel.Of(model, places, recipe.Path);
            }
            catch (MergeException missing)
            {
                // Looked at apart from what is reported: what is wrong with the models is said once.
                try
                {
                    if (onlyNames([.. recipe.Models.SelectMany(m => Resolve(m, places, recipe.Path))]))
                        return new(model, "");
                }
                catch (Exception e) when (e is MergeException or IOException or UnauthorizedAccessException)
                {
                }
                findings.AddErrors(missing);
                return null;
            }
        }

        ResolvedModel? Reference(ModelReference? reference)
        {
            ResolvedModel? found = null;
            if (reference is not null)
            {
                Collect(findings, reference.Line, () => found = ResolvedModel.Of(
                    new(reference, RecipeParameters.None), places, recipe.Path));
            }
            return found;
        }
    }

    private static IEnumerable<ResolvedModel> Resolve(RecipeModel model, ModelPlaces places, string recipePath)
    {
        if (!model.Model.IsTrajectory)
            return [ResolvedModel.Of(model, places, recipePath)];
        // The adapters of a run in one model. A folder whose name holds a '+' is one.
        if (model.Model.Text.LastIndexOf('+') is > 0 and var plus && !model.Model.Text.AsSpan(0, plus).ContainsAny('*', '?')
            && !Trajectory.Any(model.Model.Text, places))
        {
            var run = model with { Model = model.Model with { Text = model.Model.Text[(plus + 1)..].Trim() } };
            return
            [
                .. Trajectory.Expand(run, places, recipePath).Select(path => ResolvedModel.With(
                    model with { Model = model.Model with { Text = model.Model.Text[..plus].Trim() } },
                    new(path, 1, NameOf(path, run.Model.Text)), places, recipePath)),
            ];
        }
        return Trajectory.Expand(model, places, recipePath).Select(path => new ResolvedModel(
            new(new(NameOf(path, model.Model.Text), model.Model.Line), model.Parameters, Layers: model.Layers), path));
    }

    /// <summary>What the pattern becomes for one of its matches: as many parts of the path as the pattern has.</summary>
    private static string NameOf(string path, string pattern)
    {
        if (Path.IsPathRooted(pattern) || pattern.StartsWith('~'))
            return path;
        var parts = pattern.Split('/', StringSplitOptions.RemoveEmptyEntries).Count(p => p is not ("." or ".."));
        return string.Join('/', path.Split(Path.DirectorySeparatorChar)[^parts..]);
    }

    private static void Collect(RecipeFindings findings, int line, Action resolve)
    {
        try
        {
            resolve();
        }
        catch (MergeException exception)
        {
            findings.AddErrors(exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            findings.Error(line, $"a model's folder cannot be read: {exception.Message}");
        }
    }
}

/// <param name="Path">The full path of its folder or file.</param>
internal sealed record ResolvedModel(RecipeModel Model, string Path)
{
    /// <summary>The model as the recipe names it, without what follows a '+'.</summary>
    public string PlainText { get; init; } = Model.Model.Text;

    /// <summary>What is in it besides.</summary>
    public IReadOnlyList<ResolvedAdapter> Adapters { get; init; } = [];

    /// <summary>What was trained: the adapter, where there is one in it.</summary>
    public string OwnPath => Adapters.Count == 0 ? Path : Adapters[^1].Path;

    /// <summary>Equal for equal weights.</summary>
    public string Key => string.Join('+', Adapters.Select(a => $"{a.Weight:R}*{a.Path}").Prepend(Path));

    /// <summary>A model with one more adapter behind its name.</summary>
    public static ResolvedModel With(RecipeModel model, ResolvedAdapter adapter, ModelPlaces places, string recipePath)
    {
        var inner = Of(model, places, recipePath);
        var named = inner.Adapters.Count - model.Model.Adapters.Count;
        return inner with
        {
            Model = model with { Model = model.Model with { Text = $"{model.Model.Text}+{adapter.Text}" } },
            Adapters = [.. inner.Adapters.Take(named), adapter, .. inner.Adapters.Skip(named)],
        };
    }

    public static ResolvedModel Of(RecipeModel model, ModelPlaces places, string recipePath)
    {
        var (path, adapters) = ModelResolver.ResolveParts(model.Model, places, recipePath);
        var added = adapters.Count - model.Model.Adapters.Count;
        return new(model, path)
        {
            Adapters = adapters,
            PlainText = added > 0 ? model.Model.Text.Split('+')[0].Trim() : model.Model.Text,
        };
    }
}

/// <param name="Path">The full path of its folder or file.</param>
/// <param name="Weight">What its change is multiplied with.</param>
/// <param name="Text">As the recipe names it.</param>
internal sealed record ResolvedAdapter(string Path, double Weight, string Text);

/// <param name="Name">As the recipe names it; null: the whole model.</param>
/// <param name="Slices">One without layer ranges where whole models are merged.</param>
internal sealed record ResolvedModule(
    string? Name, int Line, RecipeParameters Parameters, IReadOnlyList<ResolvedSlice> Slices);

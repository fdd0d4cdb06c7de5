using Merge.Planning;
using Merge.Recipes;
using Merge.Sdk;

namespace Merge.Search;

/// <summary>
/// The recipe of a point: <c>merge run</c> of it makes the candidate's bytes. Trajectories are written out, searched
/// parameters stand where nothing overrides them, the sections of the search are left out.
/// </summary>
internal sealed class ChosenRecipe
{
    private readonly ResolvedRecipe _resolved;
    private readonly InputRole _base;
    private readonly SpaceOfOptions _space;
    private readonly MergePlan _plan;
    private readonly string _folder;
    private readonly HashSet<string> _searched;
    private readonly Dictionary<string, string> _renamed = [];

    /// <param name="resolved">What was searched.</param>
    /// <param name="plan">Its plan.</param>
    /// <param name="space">The space of the plan.</param>
    /// <param name="folder">Where the recipe will be: models that the recipe names by a place are named from there.</param>
    public ChosenRecipe(ResolvedRecipe resolved, MergePlan plan, SpaceOfOptions space, string folder)
    {
        (_resolved, _plan, _space, _folder, _base) = (resolved, plan, space, folder, plan.Strategy.Info.Base);
        _searched = [.. space.Values.Select(v => v.Option.Schema.Name)];
        foreach (var model in resolved.Models.Append(resolved.Base).Concat(resolved.Slices.Select(s => s.Base)).OfType<ResolvedModel>()
            .Where(m => m.Path.Length > 0))
        {
            // Where it stands by its name alone; in the list of models its adapters stand below it.
            _renamed[model.Model.Model.Text] = string.Join('+', model.Adapters
                .SkipLast(model.Model.Model.Adapters.Count).Select(a => FromHere(a.Text, a.Path))
                .Prepend(FromHere(model.PlainText, model.Path)));
        }
    }

    /// <summary>The recipe's text.</summary>
    /// <param name="point">What was chosen.</param>
    /// <param name="comment">What it is: lines at the top.</param>
    public string At(IReadOnlyList<double> point, params IReadOnlyList<string> comment)
    {
        var recipe = _resolved.Recipe;
        var entries = new List<YamlEntry>();
        foreach (var entry in recipe.Map!.Entries.Where(e => e.Key != "metrics" && !SearchSection.All.Contains(e.Key)))
        {
            entries.Add(entry.Key switch
            {
                "parameters" => Entry("parameters", Shared(point)),
                "models" => Entry("models", Models(point, _resolved.Modules[0].Slices[0])),
                "slices" => Entry("slices", Slices(point, recipe.Slices, _resolved.Modules[0].Slices)),
                "modules" => Entry("modules", Modules(point)),
                _ => entry with { Value = Renamed(entry.Value) },
            });
        }
        if (entries.TrueForAll(e => e.Key != "parameters") && Shared(point) is { Entries.Count: > 0 } shared)
            entries.Add(Entry("parameters", shared));
        entries.RemoveAll(e => e is { Key: "parameters", Value: YamlMap { Entries.Count: 0 } });
        return string.Concat(comment.Select(line => $"# {line.ReplaceLineEndings(" ")}\n")) + YamlText.Of(new(entries, 1));
    }

    /// <summary>The recipe's parameters for all models: its own, and the searched ones that have no value per model.</summary>
    private YamlMap Shared(IReadOnlyList<double> point) => new(
    [
        .. Given(_resolved.Recipe.Parameters).Entries,
        .. _space.Values.Where(v => !v.Option.Schema.IsPerModel)
            .Select(v => Entry(v.Option.Schema.Name, Value(v, point, 0, t => t.Info.Name))),
    ], 1);

    private YamlList Models(IReadOnlyList<double> point, ResolvedSlice slice)
    {
        var (models, baseModel) = slice.InputsFor(_base, _resolved.Recipe.Path);
        var entries = models.Select((m, i) => Model(m, Chosen(point, i))).ToList();
        // A base that is listed, too, though the method does not count it among the models.
        if (baseModel is not null && slice.Sources.Any(s => s.Key == baseModel.Key))
            entries.Add(Model(baseModel, []));
        return new(entries, 1);
    }

    private YamlList Slices(IReadOnlyList<double> point, IReadOnlyList<RecipeSlice> slices, IReadOnlyList<ResolvedSlice> resolved) => new(
    [
        .. slices.Zip(resolved).Select(s => new YamlMap(
        [
            Entry("sources", Models(point, s.Second)),
            .. s.First.BaseModel is { } own ? [Entry("base_model", Word(_renamed.GetValueOrDefault(own.Text, own.Text)))] : Array.Empty<YamlEntry>(),
            .. Section(s.First.Parameters),
        ], 1)),
    ], 1);

    private YamlMap Modules(IReadOnlyList<double> point) => new(
    [
        .. _resolved.Recipe.Modules.Zip(_resolved.Modules).Select(m => Entry(m.First.Name, new YamlMap(
        [
            m.First.Models.Count > 0
                ? Entry("models", Models(point, m.Second.Slices[0]))
                : Entry("slices", Slices(point, m.First.Slices, m.Second.Slices)),
            .. Section(m.First.Parameters),
        ], 1))),
    ], 1);

    private YamlMap Model(ResolvedModel model, IReadOnlyList<YamlEntry> chosen)
    {
        var parameters = new YamlMap([.. Given(model.Model.Parameters).Entries, .. chosen], 1);
        return new(
        [
            Entry("model", Word(FromHere(model.PlainText, model.Path))),
            .. model.Adapters.Count > 0 ? [Entry("adapters", Adapters(model))] : Array.Empty<YamlEntry>(),
            .. model.Model.Layers is { } layers ? [Entry("layer_range", new YamlList([Number(layers.Start), Number(layers.End)], 1))] : Array.Empty<YamlEntry>(),
            .. parameters.Entries.Count > 0 ? [Entry("parameters", parameters)] : Array.Empty<YamlEntry>(),
        ], 1);
    }

    private YamlList Adapters(ResolvedModel model) => new(
    [
        .. model.Adapters.Select(a => new YamlMap(
            [Entry("adapter", Word(FromHere(a.Text, a.Path))), Entry("weight", Number(a.Weight))], 1)),
    ], 1);

    /// <summary>A model's searched parameters.</summary>
    private YamlEntry[] Chosen(IReadOnlyList<double> point, int model) =>
    [
        .. _space.Values.Where(v => v.Option.Schema.IsPerModel && v.IsOf(model))
            .Select(v => Entry(v.Option.Schema.Name, Value(v, point, model, t => t.Models[model].Name))),
    ];

    private YamlNode Value(OptionValues values, IReadOnlyList<double> point, int model, Func<TensorPlan, string> name)
    {
        if (values.IsSmooth)
        {
            YamlNode[] filters = [.. Enumerable.Range(0, values.Filters).Select(f => Gradient(values, point, model, f))];
            return filters is [var only] ? only : new YamlList(
            [
                .. filters.Select((f, i) => new YamlMap(
                    [.. i < _space.Filters.Count ? [Entry("filter", Word(_space.Filters[i]))] : Array.Empty<YamlEntry>(), Entry("value", f)], 1)),
            ], 1);
        }
        if (values is { Groups: 1, Filters: 1 })
            return Number(point[values.PlaceOf(model, 0, 0)]);
        var byName = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var tensor in _plan.Tensors.Where(t => !t.IsCopied))
        {
            var cell = _space.CellOf(name(tensor), tensor.Info.Rank);
            byName[name(tensor)] = point[values.PlaceOf(model, cell.Group, cell.Filter)];
        }
        var filtersByName = NameFilters.Of(byName);
        return filtersByName is [(null, var value)] ? Number(value) : new YamlList(
        [
            .. filtersByName.Select(f => new YamlMap(
                [.. f.Filter is null ? Array.Empty<YamlEntry>() : [Entry("filter", Word(f.Filter))], Entry("value", Number(f.Value))], 1)),
        ], 1);
    }

    private static YamlList Gradient(OptionValues values, IReadOnlyList<double> point, int model, int filter) =>
        new([.. Enumerable.Range(0, values.Groups).Select(g => Number(point[values.PlaceOf(model, g, filter)]))], 1);

    private YamlEntry[] Section(RecipeParameters parameters) =>
        Given(parameters) is { Entries.Count: > 0 } given ? [Entry("parameters", given)] : [];

    /// <summary>A section's parameters that are not searched; files are named from where the new recipe is.</summary>
    private YamlMap Given(RecipeParameters parameters) => new(
    [
        .. parameters.Items.Where(p => !_searched.Contains(p.Name))
            .Select(p => Entry(p.Name, IsFile(p.Name) ? File(p.Value) : Node(p.Value))),
    ], 1);

    private bool IsFile(string parameter) =>
        OptionsSchema.Of(_plan.Strategy.OptionsType).Find(parameter)?.SideInput is not null;

    private YamlNode File(ParameterValue value)
    {
        if (value is not ParameterScalar { IsNull: false } scalar)
            return Node(value);
        var path = Path.GetFullPath(scalar.Text, Path.GetDirectoryName(Path.GetFullPath(_resolved.Recipe.Path))!);
        return Word(FromHere(scalar.Text, path));
    }

    private static YamlNode Node(ParameterValue value) => value switch
    {
        ParameterScalar scalar => new YamlScalar(scalar.Text, scalar.Quoted, 1),
        ParameterList list => new YamlList([.. list.Items.Select(Node)], 1),
        _ => new YamlList(
        [
            .. ((ParameterFilters)value).Items.Select(f => new YamlMap(
                [.. f.Filter is null ? Array.Empty<YamlEntry>() : [Entry("filter", Word(f.Filter))], Entry("value", Node(f.Value))], 1)),
        ], 1),
    };

    // A place is named from the new recipe's folder; a repository's name is the same everywhere.
    private string FromHere(string text, string path)
    {
        var cache = ModelPlaces.Of(_resolved.Recipe.Path, []).HubCache;
        return Path.IsPathRooted(text) || text.StartsWith('~') || path.StartsWith(cache + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? text : Path.GetRelativePath(_folder, path).Replace('\\', '/');
    }

    private YamlNode Renamed(YamlNode node) => node switch
    {
        YamlScalar scalar when _renamed.TryGetValue(scalar.Text, out var text) => scalar with { Text = text },
        YamlList list => list with { Items = [.. list.Items.Select(Renamed)] },
        YamlMap map => map with { Entries = [.. map.Entries.Select(e => e with { Value = Renamed(e.Value) })] },
        _ => node,
    };

    private static YamlEntry Entry(string key, YamlNode value) => new(key, 1, value);

    private static YamlScalar Word(string text) => new(text, true, 1);

    private static YamlScalar Number(double value) => new(NumberText.Of(value), false, 1);
}

using Merge.Checkpoints;
using Merge.Plugins;
using Merge.Recipes;
using Merge.Sdk;

namespace Merge.Planning;

/// <summary>
/// A recipe to a plan: find the method, find and open the models, bind the options, match the tensors. The checkpoints
/// it opened stay open until it is disposed.
/// </summary>
internal sealed class RecipePlanner : IDisposable
{
    private readonly PluginCatalog _plugins;
    private readonly IReadOnlyList<string> _modelDirs;
    private readonly OpenedModels _open = new();
    private readonly Dictionary<string, string> _sidePaths = [];

    /// <summary>What to do where a tensor's shape is not the same in all models.</summary>
    public OnMismatch OnMismatch { get; init; }

    public RecipePlanner(PluginCatalog plugins, IReadOnlyList<string> modelDirs)
    {
        _plugins = plugins;
        _modelDirs = modelDirs;
    }

    /// <summary>Folders of the merges that the recipe may use, by their names.</summary>
    public IReadOnlyDictionary<string, string> Stages { get; init; } = new Dictionary<string, string>();

    /// <param name="recipe">The recipe, parsed.</param>
    /// <param name="maxShardBytes">Largest output file.</param>
    /// <exception cref="MergeException">What is wrong with recipe or models.</exception>
    public MergePlan Plan(Recipe recipe, long maxShardBytes)
    {
        var method = FindMethod(recipe);
        try
        {
            return Plan(recipe, method, maxShardBytes);
        }
        catch (MergeException fault) when (fault.IsOfUnnamedPlugin)
        {
            throw fault.OfPlugin($"{method.Plugin.Name} {method.Plugin.Version} (method {method.Id})");
        }
    }

    private MergePlan Plan(Recipe recipe, StrategyEntry method, long maxShardBytes)
    {
        var places = ModelPlaces.Of(recipe.Path, _modelDirs) with { Stages = Stages };
        var schema = OptionsSchema.Of(method.Strategy.OptionsType);
        var written = TrainingMetrics.Fill(ResolvedRecipe.Of(recipe, places, AdapterRecipe.Are), method.Id, schema, places);
        var doubt = written.Base is { Path.Length: 0 } nowhere ? ModelResolver.Doubt(nowhere.Model.Model, places, recipe.Path) : null;
        var resolved = AdapterRecipe.WithZeros(written, method.Info, out var adapterBase);
        var binder = new OptionsBinder(
            schema, resolved.Recipe, method.Id, parameter => MethodsWith(parameter, method));
        ModuleInputs[] modules = [.. resolved.Modules.Select(m => Inputs(m, method.Info, resolved.Recipe, binder))];
        binder.ThrowIfAny();
        var slices = modules.SelectMany(m => m.Slices).ToArray();
        var adapters = AdapterRecipe.Is(resolved) ? _open.OpenAdapters([.. resolved.Models]) : null;
        if (adapters is null)
            AdapterRecipe.RefuseSection(recipe);
        OpenAll(resolved, slices, places, adapters);

        var baseModel = (resolved.Base ?? resolved.Slices.Select(s => s.Base).OfType<ResolvedModel>().FirstOrDefault()) is { } b
            ? Planned(b) : null;
        var planned = slices.SelectMany(s => s.Models).Select(Planned).ToArray();
        var names = new HashSet<string>(StringComparer.Ordinal);
        var vocabulary = Vocabulary(
            resolved, slices.SelectMany(s => s.Models), baseModel, out var companions, out var warnings);
        var plan = MergePlanner.Plan(new PlanRequest
        {
            RecipePath = recipe.Path,
            Strategy = method.Strategy,
            Plugin = new(method.Plugin.Name, method.Plugin.Version ?? "", method.Plugin.Digest),
            Origin = new(
                recipe.Text,
                [
                    .. slices.SelectMany(s => s.Models).Append(resolved.Base).Concat(slices.Select(s => s.Base))
                        .OfType<ResolvedModel>().Where(m => m.Path.Length > 0).Select(m => m.Model.Model.Text).Distinct(),
                ],
                adapters is null ? resolved.Base?.Model.Model.Text : adapterBase)
            {
                Repositories =
                [
                    .. slices.SelectMany(s => s.Models).Append(resolved.Base).OfType<ResolvedModel>()
                        .Where(m => m.Path.StartsWith(places.HubCache + Path.DirectorySeparatorChar, StringComparison.Ordinal))
                        .Select(m => m.Model.Model.Text.Split('@')[0]).Distinct(),
                ],
                Stages = [.. recipe.Stages.Select(s => StageOrigin.Of(s, Stages[s.Name!.Text]))],
            },
            Modules = [.. modules.Select(m => m.Planned(this, names))],
            Models = slices.Length == 1 ? planned : [.. planned.Distinct()],
            Base = method.Info.Base is InputRole.Required or InputRole.Optional ? baseModel : null,
            Donor = baseModel ?? planned[0],
            OutType = adapters is null ? recipe.OutDType ?? recipe.DType : DType.F32,
            Seed = recipe.Seed,
            MaxShardBytes = maxShardBytes,
            Vocabulary = vocabulary,
            Companions = companions,
            OnMismatch = OnMismatch,
        });
        binder.CheckUse(names);
        binder.ThrowIfAny();
        if (adapters is not null)
        {
            var output = AdapterRecipe.Output(recipe, adapters, [.. resolved.Models.Select(m => _open.OpenAdapter(m.Path))], adapterBase);
            plan = plan with { Adapter = output, Layout = AdapterLayout.Of(output) };
        }
        Diagnostic[] doubts = doubt is null ? [] : [doubt];
        return plan with { Warnings = [.. recipe.Warnings, .. doubts, .. places.Shadowed(recipe), .. binder.Warnings, .. warnings, .. _open.Warnings, .. plan.Warnings] };
    }

    public void Dispose() => _open.Dispose();

    private VocabularyMapping? Vocabulary(
        ResolvedRecipe resolved,
        IEnumerable<ResolvedModel> models,
        PlannedModel? baseModel,
        out CompanionFiles companions,
        out IReadOnlyList<Diagnostic> warnings)
    {
        var recipe = resolved.Recipe;
        (PlannedModel Model, string Path)[] all =
        [
            .. models.Append(resolved.Base).Concat(resolved.Slices.Select(s => s.Base)).OfType<ResolvedModel>()
                .DistinctBy(m => m.Key).Select(m => (Planned(m), m.Path)),
        ];
        var planner = new VocabularyPlanner(recipe, all, baseModel, ModelPlaces.Of(recipe.Path, _modelDirs) with { Stages = Stages });
        var mapping = planner.Plan();
        var found = new List<Diagnostic>(planner.Warnings);
        var donorFirst = all.Select(m => m.Model).OrderByDescending(m => m.Checkpoint == baseModel?.Checkpoint);
        companions = new CompanionFiles { ChatTemplate = ChatTemplatePlanner.Plan(recipe, [.. donorFirst], found) };
        warnings = found;
        return mapping;
    }

    private StrategyEntry FindMethod(Recipe recipe)
    {
        try
        {
            return _plugins.Find(recipe.Method);
        }
        catch (MergeException unknown)
        {
            throw new MergeException(
                [.. unknown.Diagnostics.Select(d => d with { Where = $"{recipe.Path}, line {recipe.MethodLine}" })])
            {
                WrongUsage = true,
            };
        }
    }

    private string[] MethodsWith(string parameter, StrategyEntry except) =>
    [
        .. _plugins.Methods
            .Where(m => m.Id != except.Id && OptionsSchema.Of(m.Strategy.OptionsType).Find(parameter) is not null)
            .Select(m => m.Id),
    ];

    /// <summary>The models, base and options of a module's slices; everything that is wrong with them.</summary>
    private static ModuleInputs Inputs(ResolvedModule module, StrategyInfo info, Recipe recipe, OptionsBinder binder)
    {
        var problems = new List<Diagnostic>();
        var slices = new List<SliceInputs>();
        foreach (var slice in module.Slices)
        {
            try
            {
                var (models, baseModel) = slice.InputsFor(info.Base, recipe.Path);
                problems.AddRange(ModelCounts.Wrong(info, slice.Base is not null, models.Count)
                    .Select(d => d with { Where = $"{recipe.Path}, line {slice.Line}" }));
                slices.Add(new(slice.Line, models, baseModel, binder.Schema,
                    binder.Scope([.. models.Select(m => m.Model)], slice.Parameters, module.Parameters)));
            }
            catch (MergeException fault)
            {
                problems.AddRange(fault.Diagnostics);
            }
        }
        return problems.Count == 0 ? new(module.Name, module.Line, slices)
            : throw new MergeException([.. problems.Distinct()]) { WrongUsage = true };
    }

    /// <summary>Opens every checkpoint, each once, and reports all that cannot be.</summary>
    private void OpenAll(
        ResolvedRecipe resolved, IReadOnlyList<SliceInputs> slices, ModelPlaces places, AdapterViews? adapters)
    {
        var problems = new List<Diagnostic>();
        foreach (var side in slices.SelectMany(s => s.SideParameters()).Where(s => !_sidePaths.ContainsKey(s.File)))
        {
            Collect(() => _sidePaths[side.File] = SideFileResolver.Resolve(
                side.File, side.Parameter.Name, side.Line, places, resolved.Recipe.Path));
        }
        if (problems.Count > 0)
            throw new MergeException([.. problems.Distinct()]) { WrongUsage = true };
        var models = resolved.Models.Append(resolved.Base).Concat(resolved.Slices.Select(s => s.Base)).OfType<ResolvedModel>();
        foreach (var model in models.DistinctBy(m => m.Key))
        {
            if (adapters is null)
                Collect(() => _open.Open(model));
            else if (model.Path.Length == 0)
                _open.Set(model, adapters.Zeros);
        }
        foreach (var path in _sidePaths.Values.Distinct())
            Collect(() => _open.OpenFile(path));
        if (problems.Count > 0)
            throw new MergeException(problems);

        void Collect(Action open)
        {
            try
            {
                open();
            }
            catch (MergeException fault)
            {
                problems.AddRange(fault.Diagnostics);
            }
        }
    }

    private PlannedModel Planned(ResolvedModel model) => new(model.Model.Model.Text, _open[model]);

    private sealed record ModuleInputs(string? Name, int Line, IReadOnlyList<SliceInputs> Slices)
    {
        public PlannedModule Planned(RecipePlanner planner, HashSet<string> names) =>
            new(Name, Line, [.. Slices.Select(s => s.Planned(planner, names))]);
    }

    private sealed record SliceInputs(
        int Line, IReadOnlyList<ResolvedModel> Models, ResolvedModel? Base, OptionsSchema Schema, OptionsScope Scope)
    {
        /// <param name="planner">Has opened the models.</param>
        /// <param name="names">Gets the names of all tensors that ask for options.</param>
        public PlannedSlice Planned(RecipePlanner planner, HashSet<string> names)
        {
            return new PlannedSlice
            {
                Line = Line,
                Sources = [.. Models.Select(m => new PlannedSource(planner.Planned(m), m.Model.Layers))],
                Base = Base is null ? null : new(planner.Planned(Base), Base.Model.Layers),
                SideFiles =
                [
                    .. SideParameters().Select(s => new SideFile(
                        s.Parameter.SideInput!.Name, s.Model, Models[s.Model].Model.Model.Text, s.Parameter.SideInput.Suffix, s.File, planner._open[planner._sidePaths[s.File]])
                    {
                        Shape = s.Parameter.SideInput.Shape,
                    }),
                ],
                Options = place => Bound(place).Options,
                Values = place => Bound(place).Parameters,
            };

            BoundOptions Bound(TensorPlace place)
            {
                names.Add(place.Tensor.Name);
                names.UnionWith(place.Inputs);
                return Scope.For(place.Tensor.Name, place.Inputs, place.T);
            }
        }

        /// <summary>The side files: one a model for all tensors, so asked for without a tensor.</summary>
        public IEnumerable<(ParameterSchema Parameter, int Model, string File, int? Line)> SideParameters() =>
            from parameter in Schema.Parameters
            where parameter.SideInput is not null
            from value in Scope.ForAll(parameter).Index()
            where value.Item.Value is string
            select (parameter, value.Index, (string)value.Item.Value!, value.Item.Line);
    }
}
